"""Pauses a service by boto3 and recomputes the signature of what a server received.

boto3_pause.py pause ENDPOINT_URL SERVICE_ARN
    one PauseService, one attempt; credentials and region come from the environment. Whatever is answered is fine.
boto3_pause.py verify SECRET_ACCESS_KEY
    reads a request as JSON on stdin (method, url, headers, body in hexadecimal) and prints the signature that botocore
    computes over the headers that its Authorization names.
"""
import json
import re
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def pause(endpoint_url, arn):
    import boto3
    from botocore.config import Config

    client = boto3.client("apprunner", endpoint_url=endpoint_url, config=Config(retries={"total_max_attempts": 1}))
    client.pause_service(ServiceArn=arn)


def verify(secret):
    received = json.load(sys.stdin)
    headers = {name.lower(): value for name, value in received["headers"]}
    authorization = headers.pop("authorization")
    key, region, service, names = re.match(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([^/]+)/([^/]+)/aws4_request, SignedHeaders=([^,]+), Signature=",
        authorization).groups()
    request = AWSRequest(method=received["method"], url=received["url"], data=bytes.fromhex(received["body"]))
    for name in names.split(";"):
        request.headers[name] = headers[name]
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(Credentials(key, secret, headers.get("x-amz-security-token")), service, region)
    string_to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    print(signer.signature(string_to_sign, request))


{"pause": pause, "verify": verify}[sys.argv[1]](*sys.argv[2:])

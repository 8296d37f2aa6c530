"""botocore's SigV4Auth, asked over JSON lines: a request a line on stdin, what botocore makes of it a line on stdout.

A request: method, url, headers (a list of [name, value]), body (hexadecimal), time (epoch seconds), access_key_id,
secret_access_key, session_token (or null), region, service; and where they apply `params`, the query as a list of
decoded [name, value] that botocore is to encode by itself, and `sign_body` and `omit_session_token`, which botocore
has no switch for: the first is a header more, the second a token that is added when all is signed.
"""
import hashlib
import json
import sys
import time

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def make_request(question, body):
    request = AWSRequest(
        method=question["method"],
        url=question["url"],
        data=body,
        params=[tuple(pair) for pair in question["params"]] if question.get("params") else None,
    )
    for name, value in question["headers"]:
        request.headers[name] = value
    if question.get("sign_body"):
        del request.headers["x-amz-content-sha256"]
        request.headers["x-amz-content-sha256"] = hashlib.sha256(body).hexdigest()
    if question.get("omit_session_token"):
        del request.headers["X-Amz-Security-Token"]
    request.context["timestamp"] = time.strftime(SIGV4_TIMESTAMP, time.gmtime(question["time"]))
    return request


def answer(question):
    token = question.get("session_token")
    omitted = token if question.get("omit_session_token") else None
    credentials = Credentials(
        question["access_key_id"], question["secret_access_key"], None if omitted else token)
    signer = SigV4Auth(credentials, question["service"], question["region"])
    request = make_request(question, bytes.fromhex(question["body"]))
    # The steps of SigV4Auth.add_auth, but for its clock.
    signer._modify_request_before_signing(request)
    canonical_request = signer.canonical_request(request)
    string_to_sign = signer.string_to_sign(request, canonical_request)
    signature = signer.signature(string_to_sign, request)
    signer._inject_signature_to_request(request, signature)
    if omitted:
        request.headers["X-Amz-Security-Token"] = omitted
    return {
        "canonical_request": canonical_request,
        "string_to_sign": string_to_sign,
        "signature": signature,
        "authorization": request.headers["Authorization"],
        "headers": [list(pair) for pair in request.headers.items()],
    }


for line in sys.stdin:
    json.dump(answer(json.loads(line)), sys.stdout)
    sys.stdout.write("\n")

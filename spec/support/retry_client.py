"""What botocore's standard retry mode makes of endpoints that answer by a script, of three attempts in all.

Reads a JSON list of endpoint URLs from stdin and pauses a service at each, one after the other. Prints a JSON list of
the outcomes: {"Code": the error's code or the exception's name, absent after a success; "HTTPStatusCode": and
"RetryAttempts": where there was an answer}. It waits for nothing between attempts.
"""
import json
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

ARN = "arn:aws:apprunner:eu-west-1:123456789012:service/python-app/8fe1e10304f84fd2b0df550fe98a71fa"
CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3}, read_timeout=20)


def metadata(response):
    return {name: response["ResponseMetadata"][name] for name in ("HTTPStatusCode", "RetryAttempts")}


def outcome(url):
    client = boto3.client(
        "apprunner", region_name="eu-west-1", endpoint_url=url, config=CONFIG,
        aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    try:
        return metadata(client.pause_service(ServiceArn=ARN))
    except ClientError as error:
        return {"Code": error.response["Error"]["Code"], **metadata(error.response)}
    except BotoCoreError as error:
        return {"Code": type(error).__name__}


time.sleep = lambda _: None
json.dump([outcome(url) for url in json.load(sys.stdin)], sys.stdout)

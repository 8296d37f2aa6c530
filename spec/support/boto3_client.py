"""What boto3 sees of an App Runner endpoint, as one JSON document on stdout.

boto3_client.py use ENDPOINT_URL SERVICE_ARN UNKNOWN_ARN [ERRORS]
    lists services ERRORS times and reports the exceptions that this raises, then lists them page by page. Pauses the
    service, describes it until it is paused, pauses it again, resumes it, lists its operations and tags, and asks for a
    service that is not there. Last it calls with another secret.
boto3_client.py look ENDPOINT_URL SERVICE_ARN...
    lists the services, describes each that is named and lists its operations, all as they stand in the answers; then
    tries to pause each that is not RUNNING and reports the exceptions.

Credentials and region come from the environment. The answers are compared with botocore's own model of the API: in the
report, `problems` are departures from it, `unknown` the members and values that this botocore's model does not have.
"""
import json
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

JSON_TYPES = {"string": str, "boolean": bool, "integer": int, "long": int, "timestamp": (int, float)}
UNKNOWN = []


def attempt(call, **params):
    try:
        return call(**params)
    except ClientError as error:
        return {
            "Class": type(error).__name__,
            "Code": error.response["Error"]["Code"],
            "Message": error.response["Error"]["Message"],
            "HTTPStatusCode": error.response["ResponseMetadata"]["HTTPStatusCode"],
            "RequestId": error.response["ResponseMetadata"].get("RequestId"),
        }


def structure_problems(shape, value, path):
    if not isinstance(value, dict):
        return [path + ": not an object"]
    found = [f"{path}.{name}: missing" for name in shape.required_members if name not in value]
    for name, member in value.items():
        if name in shape.members:
            found += problems(shape.members[name], member, f"{path}.{name}")
        else:
            UNKNOWN.append(name)
    return found


def scalar_problems(shape, value, path):
    if not isinstance(value, JSON_TYPES[shape.type_name]):
        return [f"{path}: {value!r} is no {shape.type_name}"]
    enum = shape.metadata.get("enum")
    if enum and value not in enum:
        UNKNOWN.append(value)
    if shape.type_name == "string":
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 1 << 30)
        return [] if low <= len(value) <= high else [f"{path}: of length {len(value)}"]
    return []


def problems(shape, value, path):
    """Where a JSON value departs from a shape of the model."""
    if shape.type_name == "structure":
        return structure_problems(shape, value, path)
    if shape.type_name == "map":
        return sum((problems(shape.value, v, f"{path}.{k}") for k, v in value.items()), [])
    if shape.type_name == "list":
        return sum((problems(shape.member, v, path + "[]") for v in value), [])
    return scalar_problems(shape, value, path)


def wait_for(client, arn, status, seconds=20):
    deadline = time.monotonic() + seconds
    seen = []
    while time.monotonic() < deadline:
        now = client.describe_service(ServiceArn=arn)["Service"]["Status"]
        if now not in seen:
            seen.append(now)
        if now == status:
            break
        time.sleep(0.02)
    return seen


def pages_of(call, name, **params):
    """The sizes of all pages, and the items."""
    sizes, items = [], []
    while True:
        page = call(**params)
        sizes.append(len(page[name]))
        items += page[name]
        if not page.get("NextToken"):
            return {"sizes": sizes, "items": items}
        params["NextToken"] = page["NextToken"]


def new_client(endpoint_url, **settings):
    config = Config(retries={"total_max_attempts": 1})
    return boto3.client("apprunner", endpoint_url=endpoint_url, config=config, **settings)


def check_answers(client):
    """Compares what comes from now on with the model; returns the list of departures, and one of the answers."""
    found, answers = [], []

    def check(http_response, model, **_):
        if http_response.status_code == 200:
            answers.append(json.loads(http_response.content))
            found.extend(problems(model.output_shape, answers[-1], model.name))

    client.meta.events.register("after-call.apprunner", check)
    return found, answers


def look(endpoint_url, *arns):
    client = new_client(endpoint_url)
    found, answers = check_answers(client)
    client.list_services()
    for arn in arns:
        client.describe_service(ServiceArn=arn)
        client.list_operations(ServiceArn=arn)
    statuses = {answer["Service"]["ServiceArn"]: answer["Service"]["Status"] for answer in answers[1::2]}
    refused = [attempt(client.pause_service, ServiceArn=arn) for arn in arns if statuses[arn] != "RUNNING"]
    return {"answers": answers, "refused": refused, "problems": found, "unknown": sorted(set(UNKNOWN))}


def use(endpoint_url, arn, unknown_arn, errors="0"):
    client = new_client(endpoint_url)
    found, _ = check_answers(client)
    report = {
        "errors": [attempt(client.list_services) for _ in range(int(errors))],
        "services": pages_of(client.list_services, "ServiceSummaryList", MaxResults=2),
        "described": client.describe_service(ServiceArn=arn),
        "pause": attempt(client.pause_service, ServiceArn=arn),
        "pausing": wait_for(client, arn, "PAUSED"),
        "pause_again": attempt(client.pause_service, ServiceArn=arn),
        "resume": attempt(client.resume_service, ServiceArn=arn),
        "resuming": wait_for(client, arn, "RUNNING"),
        "operations": pages_of(client.list_operations, "OperationSummaryList", ServiceArn=arn, MaxResults=1),
        "tags": client.list_tags_for_resource(ResourceArn=arn)["Tags"],
        "absent": attempt(client.describe_service, ServiceArn=unknown_arn),
        "malformed": attempt(client.describe_service, ServiceArn="storefront"),
        "bad_token": attempt(client.list_services, NextToken="x"),
        "problems": found,
        "unknown": sorted(set(UNKNOWN)),
    }
    stranger = new_client(endpoint_url, aws_access_key_id="AKIDEXAMPLE", aws_secret_access_key="other")
    report["wrong_secret"] = attempt(stranger.list_services)
    stranger = new_client(endpoint_url, aws_access_key_id="AKIDOTHER", aws_secret_access_key="other")
    report["wrong_key"] = attempt(stranger.list_services)
    return report


json.dump({"look": look, "use": use}[sys.argv[1]](*sys.argv[2:]), sys.stdout, default=str)

"""Answers of App Runner generated from the API's model, with what botocore's
parser makes of them. Prints a JSON line {operation, body, expected} a case:
one that fills every member, and one each that leaves out, or nulls, one
optional member. Usage: decode_cases.py service-2.json"""
import datetime
import json
import sys

from botocore.model import ServiceModel
from botocore.parsers import create_parser

OPERATIONS = [
    "DescribeService", "ListOperations", "ListServices",
    "ListTagsForResource", "PauseService", "ResumeService",
]
TIMES = [1700000000, 1700000000.5, 0, 1398796238.123]


class Maker:
    """Values for shapes; no two numbers or texts are alike."""

    def __init__(self):
        self.count = 0

    def scalar(self, shape):
        self.count += 1
        n = self.count
        if shape.type_name == "timestamp":
            return TIMES[n % len(TIMES)] + n
        if shape.type_name in ("integer", "long"):
            return n
        if shape.type_name == "boolean":
            return n % 2 == 0
        enum = getattr(shape, "enum", None)
        if enum:
            return enum[n % len(enum)] if n % 5 else "NEWER_THAN_THE_MODEL"
        return f"{shape.name} {n} é \"\\/\n\u2028"

    def value(self, shape):
        if shape.type_name == "structure":
            return {k: self.value(v) for k, v in shape.members.items()}
        if shape.type_name == "list":
            return [self.value(shape.member) for _ in range(3)]
        if shape.type_name == "map":
            return {f"key {i}": self.value(shape.value) for i in range(3)}
        return self.scalar(shape)


def optional_members(shape, path=()):
    """The paths of all members that an answer may leave out."""
    if shape.type_name == "list":
        yield from optional_members(shape.member, path + (0,))
    if shape.type_name != "structure":
        return
    for name, member in shape.members.items():
        if name not in shape.required_members:
            yield path + (name,)
        yield from optional_members(member, path + (name,))


def changed(value, path, null):
    copy = json.loads(json.dumps(value))
    at = copy
    for step in path[:-1]:
        at = at[step]
    if null:
        at[path[-1]] = None
    else:
        del at[path[-1]]
    return copy


def plain(value):
    """What botocore gives, in terms of JSON."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    return value


def main():
    model = ServiceModel(json.load(open(sys.argv[1])), "apprunner")
    parser = create_parser("json")
    for name in OPERATIONS:
        shape = model.operation_model(name).output_shape
        full = Maker().value(shape)
        bodies = [full]
        for path in optional_members(shape):
            bodies.append(changed(full, path, False))
            bodies.append(changed(full, path, True))
        for body in bodies:
            text = json.dumps(body)
            response = {"status_code": 200, "headers": {}, "body": text.encode()}
            expected = parser.parse(response, shape)
            del expected["ResponseMetadata"]
            print(json.dumps({"operation": name, "body": text,
                              "expected": plain(expected)}))


main()

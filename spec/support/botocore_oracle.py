"""What botocore finds in an environment, and what another program finds there.

Usage: botocore_oracle.py [--record] [COMMAND...] < CASES

CASES are the JSON lines of botocore_cases.py: `environment`, `files` (path below the home directory -> text),
`arguments` (of the client); `{home}`, `{fake}` and the like in them stand for what is known here alone. Prints for each
a JSON line {case, botocore, ours}: what botocore found in this process, and what COMMAND, given the arguments as JSON
in its last word, printed as JSON. A finding has `region`, `endpoint_url`, `access_key_id`, `provider`, `no_region`, or
`codes`: the names that an error may have. Each side has a home directory of its own, and both have one fake_aws.

A case that says `newer` needs a newer botocore than some systems have (configured endpoints, a container's token in a
file). An older one is answered for by botocore_recorded.jsonl, which --record writes anew, under a newer one.
"""
import concurrent.futures
import copy
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import botocore.configprovider
import botocore.credentials
import botocore.exceptions
import botocore.loaders
import botocore.session
import botocore.tokens
import botocore.utils
from botocore.config import Config

sys.dont_write_bytecode = True  # into the checkout
import fake_aws

RECORDED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "botocore_recorded.jsonl")
NEWER = hasattr(botocore.configprovider, "ConfiguredEndpointProvider")
PLACEHOLDER = re.compile(r"\{(home|fake|imds_\w+)\}")
botocore.utils.ContainerMetadataFetcher.SLEEP_TIME = 0  # between its attempts
LOADER = botocore.loaders.create_loader()
OWN_ENVIRONMENT = dict(os.environ)

PROVIDERS = {
    "explicit": "static", "env": "environment", "shared-credentials-file": "profile", "config-file": "profile",
    "assume-role": "assume_role", "assume-role-with-web-identity": "web_identity", "sso": "sso",
    "custom-process": "process", "container-role": "container", "iam-role": "imds",
}

# What each of botocore's exceptions is called by us. Where one is Python's own, or stands for several things, any of
# the names will do. A class that is not here is not expected.
CODES = {
    "ProfileNotFound": ["ProfileNotFound"],
    "ConfigParseError": ["ConfigParseError"],
    "NoCredentialsError": ["NoCredentialsError"],
    "PartialCredentialsError": ["PartialCredentialsError"],
    "CredentialRetrievalError": ["CredentialRetrievalError"],
    "UnauthorizedSSOTokenError": ["UnauthorizedSSOTokenError"],
    "SSOTokenLoadError": ["UnauthorizedSSOTokenError"],
    "TokenRetrievalError": ["UnauthorizedSSOTokenError"],
    "InvalidConfigError": ["InvalidConfigError"],
    "InfiniteLoopConfigError": ["InvalidConfigError"],
    "InvalidRegionError": ["InvalidEndpointError"],
    "ClientError": ["CredentialRetrievalError"],  # of STS
    "ResourceNotFoundException": ["CredentialRetrievalError"],  # of SSO
    "FileNotFoundError": ["CredentialRetrievalError"],  # a token, a process
    "PermissionError": ["CredentialRetrievalError"],  # a process that cannot be run
    "JSONDecodeError": ["CredentialRetrievalError"],  # what a process printed
    # A URL; a host; the quotes of a command.
    "ValueError": ["InvalidEndpointError", "CredentialRetrievalError", "InvalidConfigError"],
}


# What is set for botocore so that it finds what we decided that is to be found ----------------------------------------

def without_empty_variables(environment):
    """An empty variable counts as unset."""
    return {name: value for name, value in environment.items() if value}


def with_aws_region(environment):
    """AWS_REGION, which botocore does not know, comes before AWS_DEFAULT_REGION."""
    region = environment.get("AWS_REGION")
    return dict(environment, AWS_DEFAULT_REGION=region) if region else environment


def with_aws_profile(environment):
    """AWS_PROFILE comes before AWS_DEFAULT_PROFILE."""
    profile = environment.get("AWS_PROFILE")
    return dict(environment, AWS_DEFAULT_PROFILE=profile) if profile else environment


REWRITES = [without_empty_variables, with_aws_region, with_aws_profile]


def without_empty_keys(text):
    """An empty key of a file counts as unset; one that opens a nested block is not empty."""
    return re.sub(r"(?m)^[^\s#;\[=][^=\n]*=[ \t]*(?:\r?\n|\Z)(?!\s*^[ \t]+\S)", "", text)


def allow_missing_profile(session, arguments):
    """A profile that only the environment names may be missing."""
    if "profile" not in arguments and session.profile:
        session.full_config["profiles"].setdefault(session.profile, {})


# What botocore finds --------------------------------------------------------------------------------------------------

def redirect_to(url):
    """Sends a request, wherever it was to go, to the fake; an older botocore has no setting for that."""
    def redirect(request, **_):
        request.url = url + re.sub(r"^\w+://[^/]*", "", request.url)
    return redirect


def set_environment(case):
    os.environ.clear()
    os.environ.update(case["environment"])
    # Computed from the home directory of whoever imported botocore.
    cache = os.path.expanduser("~/.aws/sso/cache")
    botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR = cache
    botocore.tokens.SSOTokenProvider._SSO_TOKEN_CACHE_DIR = cache


def events_of_session(fake):
    """What every session registers anew, which takes longer than all else."""
    events = botocore.session.Session().get_component("event_emitter")
    for service in ("sts", "sso", "sso-oidc"):
        events.register("before-send." + service, redirect_to(fake))
    return events


def new_session(arguments, events):
    session = botocore.session.Session(
        profile=arguments.get("profile"), event_hooks=copy.copy(events), include_builtin_handlers=False)
    session.register_component("data_loader", LOADER)
    return session


def client_of(session, arguments, **keys):
    flags = {name: arguments[name] for name in ("use_fips_endpoint", "use_dualstack_endpoint") if name in arguments}
    return session.create_client(
        "apprunner", arguments.get("region"), endpoint_url=arguments.get("endpoint_url"),
        config=Config(**flags) if flags else None, **keys)


class Response:
    status_code = 200


def find_endpoint(session, arguments):
    """Region and URL of a call that is made, but not sent."""
    client = client_of(session, arguments, aws_access_key_id="AKID", aws_secret_access_key="secret")
    urls = []

    def answer(params, **_):
        urls.append(params["url"])
        return Response(), {}

    client.meta.events.register("before-call.apprunner", answer)
    client.list_services()
    return {"region": client.meta.region_name, "endpoint_url": urls[0]}


def find_credentials(session, arguments):
    given = arguments.get("credentials")
    if given:
        # The region is any: what is wrong with it is told by the endpoint.
        client = client_of(
            session, {"region": "us-east-1"}, aws_access_key_id=given.get("access_key_id"),
            aws_secret_access_key=given.get("secret_access_key"), aws_session_token=given.get("session_token"))
        found = client._request_signer._credentials
    else:
        session._last_client_region_used = arguments.get("region")  # as create_client leaves it
        found = session.get_credentials()
    if found is None:
        raise botocore.exceptions.NoCredentialsError()
    return {"access_key_id": found.get_frozen_credentials().access_key, "provider": PROVIDERS[found.method]}


def find(case, events):
    set_environment(case)
    finding = {}
    for part in (find_endpoint, find_credentials):
        session = new_session(case["arguments"], events)
        try:
            allow_missing_profile(session, case["arguments"])
            finding.update(part(session, case["arguments"]))
        except botocore.exceptions.NoRegionError:
            finding["no_region"] = True
        except Exception as error:
            name = type(error).__name__
            finding.setdefault("codes", []).extend(CODES.get(name, [name + " is not expected"]))
            finding.setdefault("errors", []).append(f"{name}: {error}")
    return finding


# Recorded findings ----------------------------------------------------------------------------------------------------

def key_of(case):
    return hashlib.sha1(json.dumps(case, sort_keys=True).encode()).hexdigest()


def read_recorded():
    with open(RECORDED) as file:
        return {line["key"]: line["botocore"] for line in map(json.loads, file)}


def write_recorded(lines):
    with open(RECORDED, "w") as file:
        for line in lines:
            case = line["case"]
            record = {"key": key_of(case), "case": f"{case['feature']} {case['name']}", "botocore": line["botocore"]}
            file.write(json.dumps(record) + "\n")


# Both sides -----------------------------------------------------------------------------------------------------------

def expanded(value, places):
    if isinstance(value, str):
        return PLACEHOLDER.sub(lambda match: places[match.group(1)], value)
    if isinstance(value, dict):
        return {expanded(k, places): expanded(v, places) for k, v in value.items()}
    return value


def placed(case, home, places, rewrite):
    """The case with its files written below `home`."""
    case = {k: expanded(case[k], dict(places, home=home)) for k in ("environment", "files", "arguments")}
    # Nothing of the developer's, and no provider that we do not have.
    case["environment"].setdefault("AWS_EC2_METADATA_DISABLED", "true")
    case["environment"].update(HOME=home, PATH="/usr/bin:/bin", BOTO_CONFIG=home + "/none")
    for path, text in case["files"].items():
        path = os.path.join(home, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", newline="") as file:
            file.write(without_empty_keys(text) if rewrite and not path.endswith(".json") else text)
    for change in REWRITES if rewrite else ():
        case["environment"] = change(case["environment"])
    return case


def find_ours(case, command, fake):
    """What COMMAND prints, whose STS and SSO are the fake's."""
    environment = {name: value for name, value in OWN_ENVIRONMENT.items() if name.startswith("LUA_")}
    environment.update(case["environment"])
    for service in ("STS", "SSO", "SSO_OIDC"):
        environment["AWS_ENDPOINT_URL_" + service] = fake
    try:
        done = subprocess.run(
            [*command, json.dumps(case["arguments"])], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=20)
        return json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return {"crashed": "no answer within 20 seconds"}
    except ValueError:
        return {"crashed": f"status {done.returncode}: {done.stdout.decode(errors='replace')}"}


def find_theirs(case, home, places, events, recorded):
    if case.get("newer") and not NEWER:
        return recorded.get(key_of(case), {"crashed": "not recorded; see botocore_oracle.py"})
    finding = find(placed(case, home, places, True), events)
    return json.loads(json.dumps(finding).replace(places["fake"], "{fake}").replace(home, "{home}"))


def run(cases, command, places, root):
    recorded, events = {} if NEWER else read_recorded(), events_of_session(places["fake"])
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        pending = []
        for number, case in enumerate(cases):
            home = os.path.join(root, f"ours{number}")
            pending.append(command and pool.submit(
                find_ours, placed(case, home, places, False), command, places["fake"]))
        for number, case in enumerate(cases):
            theirs = find_theirs(case, os.path.join(root, f"theirs{number}"), places, events, recorded)
            ours = pending[number].result() if command else None
            yield {"case": case, "botocore": theirs, "ours": ours}


def main(arguments):
    record = arguments[:1] == ["--record"]
    command = arguments[1:] if record else arguments
    if record and not NEWER:
        sys.exit("--record: this botocore is an older one")
    cases = [json.loads(line) for line in sys.stdin]
    root = tempfile.mkdtemp(prefix="apprunner-")
    try:
        lines = list(run(copy.deepcopy(cases), command, fake_aws.start(), root))
    finally:
        shutil.rmtree(root)
    if record:
        write_recorded(line for line in lines if line["case"].get("newer"))
    for line in lines:
        print(json.dumps(line))


if __name__ == "__main__":
    main(sys.argv[1:])

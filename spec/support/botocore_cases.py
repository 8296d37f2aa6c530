"""Environments in which a client is made, for botocore_oracle.py: a JSON line each.

Usage: botocore_cases.py SEED

A case: `feature`, `name` (a sentence), `environment`, `files`, `arguments`; and where they apply `newer` (only a newer
botocore has the feature) and `difference`, the name of a difference that is meant, with `ours`, what we find.
The same seed gives the same cases with every Python 3. Access key ids say where they stand.
"""
import hashlib
import itertools
import json
import random
import re
import sys

PLAIN_REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1", "ap-northeast-1", "sa-east-1"]
# Of every partition that a botocore of 2022 has, and of none.
REGIONS = PLAIN_REGIONS + [
    "cn-north-1", "cn-northwest-1", "us-gov-west-1", "us-gov-east-1", "us-iso-east-1", "us-iso-west-1",
    "us-isob-east-1", "af-south-1", "ca-central-1", "me-south-1", "us-east-99", "mars-north-1", "local", "x",
    "US-EAST-1", "us-east", "a1", "aws-cn-global", "us-gov-1", "cn-mars-7", "eu--west-1", "a" * 63]
BAD_REGIONS = [
    "us east 1", "-us-east-1", "us-east-1-", "us_east_1", "us-east-1.amazonaws.com", "us-east-1/", "12345", "@",
    "a" * 64, "us-east-1#", "us-east-1?x=1", "\u00e9vora-1", "us-east-1:443", "us-east-1\\", "[us-east-1]", "us,east"]
NAMES = ["dev", "prod-1", "team/x", "a.b@c", "x_y+z", "Default", "DEV", "100%", "p:q", "a"]
ACCOUNT = "123456789012"
START_URL = "https://start.example.com/start"
LATER, LONG_AGO = "2099-01-01T00:00:00Z", "2001-01-01T00:00:00Z"


def role_arn(name):
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


def keys(key, token=None):
    """The properties of static keys."""
    found = {"aws_access_key_id": key, "aws_secret_access_key": "secret/+=" + key}
    return dict(found, aws_session_token=token) if token else found


def variables(key, token=None):
    return {name.upper(): value for name, value in keys(key, token).items()}


class Files:
    """The two shared files of a case: profiles by name, and the sections of the config file that are none."""

    def __init__(self):
        self.config, self.credentials, self.sections = {}, {}, {}

    def profile(self, name, properties, credentials=None):
        if properties is not None:
            self.config.setdefault(name, {}).update(properties)
        if credentials is not None:
            self.credentials.setdefault(name, {}).update(credentials)


class Maker:
    """Makes cases; every choice falls by one dice."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.cases = []

    def some(self, probability):
        return self.dice.random() < probability

    def one(self, choices):
        return self.dice.choice(choices)

    # Texts of files ---------------------------------------------------------------------------------------------------

    def noise(self):
        """Lines that mean nothing, alike in both grammars."""
        return self.one([
            [""], ["# a comment"], ["; a comment"], ["  "], ["#"], ["colour = blue"], ["cli_pager="],
            ["s3 =", "  max_concurrent_requests = 20", "", "  addressing_style=path"],
            ["note = one", "  two # three", "\tfour = five"], ["# [profile dev]", "#region = nowhere-1"],
        ])

    def lines_of(self, header, properties):
        equals = self.one([" = ", "=", "= ", " =", "\t=\t", "   =   "])
        lines = [f"[{header}]" + self.one(["", "", "", " ", " # a comment", "; a comment"])]
        noisy, used = self.some(0.4), []
        for name, value in properties.items():
            noise = self.noise() if noisy else []
            if noise not in used:  # a property that stands twice is another matter
                lines += noise
                used.append(noise)
            name = self.one([str.upper, str.title])(name) if self.some(0.15) else name
            lines.append(name + equals + value + self.one(["", "", "", " ", "\t "]))
        return lines + self.one([[], [""], ["", "# the end"]])

    def text(self, sections):
        sections = list(sections.items())
        if self.some(0.3):
            sections.append(("preview", {"cloudfront": "true", "region": "wrong-1"}))
        self.dice.shuffle(sections)
        lines = sum((self.lines_of(*section) for section in sections), [])
        return self.one(["\n", "\n", "\n", "\r\n"]).join(lines) + self.one(["\n", "\n", "\n", ""])

    def header(self, name):
        spaced = "profile" + self.one([" ", " ", "  ", "\t"]) + name
        return name if name == "default" and self.some(0.8) else spaced

    def write(self, case, files):
        """Puts the files where they are, or where a variable says that they are."""
        config = {self.header(name): found for name, found in files.config.items()}
        for file, sections in (("config", dict(config, **files.sections)), ("credentials", files.credentials)):
            if not sections and self.some(0.7):
                continue
            path = self.one([".aws/" + file] * 3 + ["elsewhere/" + file, file + ".ini"])
            variable = "AWS_CONFIG_FILE" if file == "config" else "AWS_SHARED_CREDENTIALS_FILE"
            if not path.startswith(".aws/") or self.some(0.1):
                case["environment"][variable] = self.one(["{home}/", "~/"]) + path
            case["files"][path] = self.text(sections)

    # Cases ------------------------------------------------------------------------------------------------------------

    def add(self, feature, name, files=None, environment=None, arguments=None, region=True, **more):
        """A case; with a region from anywhere, unless the region is its matter."""
        case = {
            "feature": feature, "name": name, "environment": dict(environment or {}), "files": {},
            "arguments": dict(arguments or {}), **more}
        if region:
            self.any_region(case)
        if files:
            self.write(case, files)
        self.cases.append(case)
        return case

    def any_region(self, case):
        region = self.one(PLAIN_REGIONS)
        where = self.one(["arguments", "AWS_REGION", "AWS_DEFAULT_REGION"])
        if where == "arguments":
            case["arguments"]["region"] = region
        else:
            case["environment"][where] = region

    def select(self, case, name):
        """Names the profile of a case, in one of the ways there are; returns how."""
        other = {"default": "nobody"}.get(name, "default")
        ways = [
            ("by the argument", {"profile": name}, {}),
            ("by AWS_PROFILE", {}, {"AWS_PROFILE": name}),
            ("by AWS_DEFAULT_PROFILE", {}, {"AWS_DEFAULT_PROFILE": name}),
            ("by AWS_PROFILE before AWS_DEFAULT_PROFILE", {}, {"AWS_PROFILE": name, "AWS_DEFAULT_PROFILE": other}),
            ("by AWS_DEFAULT_PROFILE, as AWS_PROFILE is empty", {}, {"AWS_PROFILE": "", "AWS_DEFAULT_PROFILE": name}),
            ("by the argument before AWS_PROFILE", {"profile": name}, {"AWS_PROFILE": other}),
        ]
        if name == "default":
            ways += [("by nothing", {}, {}), ("by nothing, as AWS_PROFILE is empty", {}, {"AWS_PROFILE": ""})] * 3
        how, arguments, environment = self.one(ways)
        case["arguments"].update(arguments)
        case["environment"].update(environment)
        return how

    def profile_case(self, feature, name, files, profile="default", **more):
        """A case whose matter is a profile, which is selected in any way."""
        case = self.add(feature, name, **more)
        case["name"] += f", the profile {profile} named {self.select(case, profile)}"
        self.write(case, files)
        return case


FEATURES = []


def feature(function):
    FEATURES.append(function)
    return function


# Region and endpoint --------------------------------------------------------------------------------------------------

REGION_PLACES = ["the argument", "AWS_REGION", "AWS_DEFAULT_REGION", "the config file", "the credentials file"]


def put_region(case, files, profile, place, region):
    if place == "the argument":
        case["arguments"]["region"] = region
    elif place.startswith("AWS_"):
        case["environment"][place] = region
    elif place == "the config file":
        files.profile(profile, {"region": region})
    else:
        files.profile(profile, None, {"region": region})


@feature
def region_places(make):
    """Every subset of the places, a region in each; some that are not the argument empty."""
    for size in range(len(REGION_PLACES) + 1):
        for places in itertools.combinations(REGION_PLACES, size):
            for empty in (False, True):
                files, profile = Files(), make.one(["default", "default", *NAMES])
                files.profile(profile, *make.one([({}, keys("AKIDCREDENTIALS")), (keys("AKIDCONFIG"), None)]))
                case = make.add("the region", "", region=False)
                told = []
                for place, region in zip(places, make.dice.sample(PLAIN_REGIONS, len(places))):
                    nothing = empty and place != "the argument" and make.some(0.4)
                    told.append(place + (" (empty)" if nothing else ""))
                    put_region(case, files, profile, place, "" if nothing else region)
                case["name"] = "is sought in " + (", ".join(told) or "vain")
                case["name"] += f", the profile {profile} named {make.select(case, profile)}"
                make.write(case, files)


@feature
def regions(make):
    for region, fips, dualstack in itertools.product(REGIONS, (False, True), (False, True)):
        known = not (dualstack and region.startswith("us-iso"))  # dual stack is newer there
        if known and (region not in PLAIN_REGIONS[1:] or make.some(0.3)):
            files, place = Files(), make.one(REGION_PLACES[:4])
            case = make.add(
                "the endpoint", f"of {region[:20]} from {place}, {'FIPS' if fips else 'no FIPS'} and "
                f"{'dual stack' if dualstack else 'no dual stack'}", region=False, environment=variables("AKIDENV"))
            put_region(case, files, "default", place, region)
            for name, wanted in (("fips", fips), ("dualstack", dualstack)):
                put_flag(make, case, files, name, wanted)
            make.write(case, files)


def put_flag(make, case, files, name, wanted):
    """Says in one of the places that a flag is set or not; one before it wins over one after it."""
    text = make.one(["true", "True", "TRUE"] if wanted else ["false", "False", "FALSE"])
    opposite = "false" if wanted else "true"
    place = make.one(["argument", "variable", "key"] if wanted else ["argument", "variable", "key", None, None, None])
    settings = {"argument": (case["arguments"], f"use_{name}_endpoint", wanted)}
    settings["variable"] = (case["environment"], f"AWS_USE_{name.upper()}_ENDPOINT", text)
    properties = files.config.setdefault("default", {})
    settings["key"] = (properties, f"use_{name}_endpoint", text)
    if place:
        table, key, value = settings[place]
        table[key] = value
    if place in ("argument", "variable") and make.some(0.4):
        properties[f"use_{name}_endpoint"] = opposite
    if place == "argument" and make.some(0.4):
        case["environment"][f"AWS_USE_{name.upper()}_ENDPOINT"] = opposite


@feature
def bad_regions(make):
    for region in BAD_REGIONS:
        files, place = Files(), make.one(REGION_PLACES)
        case = make.add(
            "the endpoint", f"of the region '{region[:30]}', which is none, from {place}", region=False,
            environment=variables("AKIDENV"))
        put_region(case, files, "default", place, region)
        make.write(case, files)


URLS = [
    "https://example.com", "https://example.com/", "http://localhost:4566", "http://localhost:4566/aws",
    "http://127.0.0.1:8080/", "https://apprunner.example.com/a/b", "http://[::1]:4566",
    "https://example.com/a%20b/", "https://vpce-0123-4567.apprunner.us-east-1.vpce.amazonaws.com", "http://x"]
BAD_URLS = ["example.com", "https://", "/path", "https:///path", "localhost:4566", "https://exa mple.com",
            "https://-.!", "http://a..b/", "https://" + "a" * 64 + ".com"]


@feature
def endpoint_arguments(make):
    for url in URLS + BAD_URLS:
        make.add(
            "the endpoint", f"from the argument {url[:60]}", environment=variables("AKIDENV"),
            arguments={"endpoint_url": url})


ENDPOINT_PLACES = ["argument", "AWS_ENDPOINT_URL_APPRUNNER", "AWS_ENDPOINT_URL", "services", "profile"]
IGNORED = [({}, {}), ({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, {}),
           ({}, {"ignore_configured_endpoint_urls": "True"}),
           ({"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false"}, {"ignore_configured_endpoint_urls": "true"})]


@feature
def configured_endpoints(make):
    """All subsets of the places of an endpoint. No dice: what an older botocore does not know is recorded."""
    rows = [(size, places, ignored) for size in range(6) for places in itertools.combinations(ENDPOINT_PLACES, size)
            for ignored in IGNORED]
    for size, places, (variable, key) in rows:
        environment = dict(variables("AKIDENV"), AWS_REGION="us-east-1", **variable)
        arguments, lines, services = {}, [f"{k} = {v}" for k, v in key.items()], []
        for place in places:
            url = f"https://{place.lower().replace('_', '-')}.example.com/path"
            if place == "argument":
                arguments["endpoint_url"] = url
            elif place == "profile":
                lines.append("endpoint_url = " + url)
            elif place == "services":
                lines.append("services = mine")
                services = ["[services mine]", "s3 =", "  endpoint_url = https://s3.example.com",
                            "apprunner =", "  endpoint_url = " + url, "  other = 1"]
            else:
                environment[place] = url
        ignoring = ", ".join(f"{k} {v}" for k, v in {**variable, **key}.items())
        case = make.add(
            "the configured endpoint", f"is sought in {' and '.join(places) or 'vain'}"
            + (f", with {ignoring}" if ignoring else ""),
            environment=environment, arguments=arguments, region=False, newer=True)
        case["files"][".aws/config"] = "\n".join(["[default]", *lines, *services, ""])


def block(service, url):
    return f"{service} =\n  endpoint_url = {url}\n"


OF_PROFILE = "services = mine\nendpoint_url = https://profile.example.com"
MINE = "[services mine]\n"
APPRUNNER, STS = block("apprunner", "https://a.example.com"), block("sts", "https://sts.example.com")
# (in words, what the profile has, the section)
SERVICES = [
    ("of another service is not taken", "services = mine", MINE + STS),
    ("of a services section that is missing is an error", "services = mine", "[services yours]\n" + APPRUNNER),
    ("that is empty in the services section falls back to the profile's", OF_PROFILE, MINE + block("apprunner", "")),
    ("is not taken from a services section that no profile names", "output = json", MINE + APPRUNNER),
    ("of a services section without a block for the service falls back to the profile's", OF_PROFILE, MINE + STS),
    ("stands in a services section with comments, blank lines and CRLF", "services = mine",
     (MINE + "\n# a comment\n" + APPRUNNER).replace("=\n", "= \t\n\n").replace("\n", "\r\n")),
    ("stands in a services section before others", "services=mine", (MINE + APPRUNNER + STS).replace(" = ", "=")),
    ("of the profile may have a path and a port", "endpoint_url = http://localhost:4566/aws", ""),
]


@feature
def services_sections(make):
    for name, profile, section in SERVICES:
        case = make.add(
            "the configured endpoint", name, region=False, newer=True,
            environment=dict(variables("AKIDENV"), AWS_REGION="us-east-1"))
        case["files"][".aws/config"] = f"[default]\n{profile}\n{section}"


# Keys -----------------------------------------------------------------------------------------------------------------

@feature
def environment_keys(make):
    """Every combination of the variables, each set, empty or unset, with a profile that has keys or none."""
    names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
    for states in itertools.product(("set", "empty", "unset"), repeat=3):
        for profile in (True, False):
            environment = {
                name: "AKIDENV" if state == "set" else "" for name, state in zip(names, states) if state != "unset"}
            files = Files()
            files.profile("default", {"output": "json"}, keys("AKIDCREDENTIALS") if profile else None)
            told = ", ".join(f"{name} {state}" for name, state in zip(names, states))
            make.add("keys in the environment", f"with {told}, and {'a' if profile else 'no'} profile with keys", files,
                     environment=environment)


@feature
def argument_keys(make):
    whole = {"access_key_id": "AKIDARGUMENT", "secret_access_key": "secret"}
    rows = [("whole", whole), ("with a token", dict(whole, session_token="token")),
            ("without a secret", {"access_key_id": "AKIDARGUMENT"}),
            ("without an id", {"secret_access_key": "secret"}),
            ("with a token, but without a secret", {"access_key_id": "AKIDARGUMENT", "session_token": "token"})]
    for (told, given), environment, profile in itertools.product(rows, (True, False), (True, False)):
        files = Files()
        files.profile("dev", {"role_arn": role_arn("deploy"), "source_profile": "base"}, None)
        files.profile("base", None, keys("AKIDBASE"))
        make.add("keys in the argument", f"{told}, {'with' if environment else 'without'} keys in the environment and "
                 f"{'a' if profile else 'no'} profile", files,
                 environment=variables("AKIDENV") if environment else {},
                 arguments={"credentials": given, **({"profile": "dev"} if profile else {})})


@feature
def profile_keys(make):
    tokens = [None, "token"]
    for number in range(60):
        name = make.one(["default", "default", *NAMES])
        files, where = Files(), make.one(["config", "credentials", "both"])
        if where != "credentials":
            files.profile(name, keys("AKIDCONFIG", make.one(tokens)))
        if where != "config":
            files.profile(name, None, keys("AKIDCREDENTIALS", make.one(tokens)))
        for other in make.dice.sample(NAMES, 2):
            if other != name:
                files.profile(other, *make.one([(keys("AKIDOTHER"), None), (None, keys("AKIDOTHER"))]))
        environment = {}
        if make.some(0.3):
            environment = variables("AKIDENV")
        make.profile_case(
            "keys in a profile", f"{number} stand in {where}" + (", others in the environment" if environment else ""),
            files, name, environment=environment)


@feature
def partial_profile_keys(make):
    lacking = [("without a secret", {"aws_access_key_id": "AKIDHALF"}),
               ("with an empty secret", {"aws_access_key_id": "AKIDHALF", "aws_secret_access_key": ""}),
               ("with an empty id", {"aws_access_key_id": "", "aws_secret_access_key": ""}),
               ("with a token, but without a secret", {"aws_access_key_id": "AKIDHALF", "aws_session_token": "t"})]
    for (told, properties), config, name in itertools.product(lacking, (True, False), ("default", "dev")):
        files = Files()
        files.profile(name, *((properties, None) if config else (None, properties)))
        file = "config" if config else "credentials"
        make.profile_case("keys in a profile", f"{told} in the {file} file", files, name)


@feature
def selection(make):
    """Which profile is meant, and whether it has to be there."""
    for name, there in itertools.product(["default", *NAMES], ("config", "credentials", "nowhere")):
        files = Files()
        files.profile("others", keys("AKIDOTHER"))
        if there == "config":
            files.profile(name, keys("AKIDCONFIG"))
        elif there == "credentials":
            files.profile(name, None, keys("AKIDCREDENTIALS"))
        for _ in range(2):
            make.profile_case("the profile", f"stands in {there}", files, name)


@feature
def no_files(make):
    for number in range(12):
        environment = variables("AKIDENV") if number % 2 else {}
        if number % 3 == 1:
            environment.update(AWS_CONFIG_FILE="{home}/absent", AWS_SHARED_CREDENTIALS_FILE="~/absent too")
        if number % 3 == 2:
            environment.update(AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null")
        make.add("the profile", f"{number} is sought in no files, {'with' if number % 2 else 'without'} keys in the "
                 "environment", environment=environment, arguments={"profile": "dev"} if number >= 8 else {})


# Roles ----------------------------------------------------------------------------------------------------------------

def base_kinds():
    """What a chain of roles may stand on: (in words, write to files and environment)."""
    def process(make, case, files, name):
        files.profile(name, {"credential_process": "sh {home}/process.sh"})
        case["files"]["process.sh"] = process_script("AKIDPROCESS")

    def web_identity(make, case, files, name):
        files.profile(name, {"role_arn": role_arn("web"), "web_identity_token_file": "{home}/token"})
        case["files"]["token"] = "TOKEN"

    def sso(make, case, files, name):
        files.profile(name, sso_properties("legacy"))
        case["files"][cache_path(START_URL)] = cache_text()

    return [
        ("keys in the config file", lambda make, case, files, name: files.profile(name, keys("AKIDCONFIG"))),
        ("keys in the credentials file",
         lambda make, case, files, name: files.profile(name, None, keys("AKIDCREDENTIALS"))),
        ("a process", process), ("a web identity", web_identity), ("SSO", sso),
    ]


def sources():
    """Values of credential_source: (value, what it takes)."""
    return [
        ("Environment", variables("AKIDENV")),
        ("EcsContainer", {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{fake}/container/ok"}),
        ("Ec2InstanceMetadata", {
            "AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "{imds_ok}"}),
    ]


def role_options(make):
    options = {}
    if make.some(0.25):
        options["external_id"] = make.one(["1234", "a:b/c@d"])
    if make.some(0.25):
        options["role_session_name"] = make.one(["nightly", "ci@example.com"])
    return options


@feature
def role_chains(make):
    for (told, put), length, _ in itertools.product(base_kinds(), (1, 2, 3, 4), range(2)):
        case = make.add("a role", f"stands on {length} profiles and {told}")
        files, names = Files(), ["p0" if make.some(0.5) else "default"] + [f"p{i}" for i in range(1, length + 1)]
        for i in range(length):
            files.profile(names[i], {
                "role_arn": role_arn(f"r{i}"), "source_profile": names[i + 1], **role_options(make)})
        put(make, case, files, names[length])
        case["name"] += f", named {make.select(case, names[0])}"
        make.write(case, files)


@feature
def role_sources(make):
    for (value, environment), length, there in itertools.product(sources(), (1, 2, 3), (True, False)):
        if value == "Ec2InstanceMetadata" and not there:
            environment = {"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "{imds_no_role}"}
        elif not there:
            environment = {}
        files = Files()
        for i in range(length):
            last = i == length - 1
            files.profile(f"p{i}", {
                "role_arn": role_arn(f"r{i}"), **role_options(make),
                **({"credential_source": value} if last else {"source_profile": f"p{i + 1}"})})
        # Named by the argument, or keys in the environment would come first.
        make.add("a role", f"stands on {length} profiles and the credential source {value}, which has "
                 f"{'keys' if there else 'nothing'}", files, environment=environment, arguments={"profile": "p0"})


BROKEN_ROLES = [
    ("has no source", {"p0": {"role_arn": "ROLE"}}),
    ("has an empty source", {"p0": {"role_arn": "ROLE", "source_profile": ""}}),
    ("has both sources", {"p0": {"role_arn": "ROLE", "source_profile": "p1", "credential_source": "Environment"},
                          "p1": keys("AKIDBASE")}),
    ("has a source profile that is missing", {"p0": {"role_arn": "ROLE", "source_profile": "p9"}}),
    ("has a source profile without anything", {"p0": {"role_arn": "ROLE", "source_profile": "p1"},
                                                "p1": {"region": "us-east-1"}}),
    ("has a source profile with half a key", {"p0": {"role_arn": "ROLE", "source_profile": "p1"},
                                               "p1": {"aws_access_key_id": "AKIDHALF"}}),
    ("has a source of another name", {"p0": {"role_arn": "ROLE", "credential_source": "Cloud"}}),
    ("names itself and has keys", {"p0": {"role_arn": "ROLE", "source_profile": "p0", **keys("AKIDSELF")}}),
    ("names itself and has no keys", {"p0": {"role_arn": "ROLE", "source_profile": "p0"}}),
    ("goes around through two profiles", {"p0": {"role_arn": "ROLE", "source_profile": "p1"},
                                           "p1": {"role_arn": "ROLE", "source_profile": "p0"}}),
    ("goes around through two profiles, the first with keys",
     {"p0": {"role_arn": "ROLE", "source_profile": "p1", **keys("AKIDSELF")},
      "p1": {"role_arn": "ROLE", "source_profile": "p0"}}),
    ("goes around through three profiles", {"p0": {"role_arn": "ROLE", "source_profile": "p1"},
                                             "p1": {"role_arn": "ROLE", "source_profile": "p2"},
                                             "p2": {"role_arn": "ROLE", "source_profile": "p1"}}),
    ("stops at a source with keys and a role of its own",
     {"p0": {"role_arn": "ROLE", "source_profile": "p1"},
      "p1": {"role_arn": "ROLE", "source_profile": "p2", **keys("AKIDMIDDLE")}, "p2": keys("AKIDBASE")}),
    ("comes before the profile's own keys",
     {"p0": {"role_arn": "ROLE", "source_profile": "p1", **keys("AKIDSELF")}, "p1": keys("AKIDBASE")}),
    ("is refused", {"p0": {"role_arn": role_arn("denied"), "source_profile": "p1"}, "p1": keys("AKIDBASE")}),
    ("is refused below another", {"p0": {"role_arn": "ROLE", "source_profile": "p1"},
                                   "p1": {"role_arn": role_arn("denied"), "source_profile": "p2"},
                                   "p2": keys("AKIDBASE")}),
    ("is empty, and there are keys", {"p0": {"role_arn": "", "source_profile": "p1", **keys("AKIDSELF")},
                                       "p1": keys("AKIDBASE")}),
    ("has a source profile, and is none", {"p0": {"source_profile": "p1", "region": "us-east-1"},
                                            "p1": keys("AKIDBASE")}),
]


@feature
def broken_roles(make):
    for (told, profiles), _ in itertools.product(BROKEN_ROLES, range(3)):
        files = Files()
        for name, properties in profiles.items():
            properties = {k: role_arn(name) if v == "ROLE" else v for k, v in properties.items()}
            whole = "aws_secret_access_key" in properties
            if whole and make.some(0.5):
                moved = {k: properties.pop(k) for k in keys("")}
                files.profile(name, properties, moved)
            else:
                files.profile(name, properties)
        make.profile_case("a role", told, files, "p0")


# Web identity ---------------------------------------------------------------------------------------------------------

TOKENS = [("a token", "TOKEN"), ("a token and a newline", "TOKEN\n"), ("no token file", None)]


@feature
def web_identity_environment(make):
    for (told, token), role, session_name in itertools.product(
            TOKENS, ("web", "denied", "", None), (None, "nightly")):
        environment = {"AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/token"}
        if role is not None:
            environment["AWS_ROLE_ARN"] = role_arn(role) if role else ""
        if session_name:
            environment["AWS_ROLE_SESSION_NAME"] = session_name
        case = make.add("a web identity", f"in the environment has {told} and the role {role}"
                        + (" and a session name" if session_name else ""), environment=environment)
        if token:
            case["files"]["token"] = token
    make.add("a web identity", "in the environment comes after keys there", environment={
        "AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/absent", "AWS_ROLE_ARN": role_arn("web"), **variables("AKIDENV")})
    role = {"AWS_ROLE_ARN": role_arn("web")}
    make.add("a web identity", "is not wanted where there is only a role", environment=role)
    make.add("a web identity", "is not wanted where the variable of the token file is empty",
             environment=dict(role, AWS_WEB_IDENTITY_TOKEN_FILE=""))


@feature
def web_identity_profile(make):
    for (told, token), role, more in itertools.product(
            TOKENS, ("web", "denied", None), ("", "keys", "process", "SSO", "a session name")):
        files = Files()
        properties = {"web_identity_token_file": "{home}/token"}
        if role:
            properties["role_arn"] = role_arn(role)
        properties.update({
            "": {}, "keys": keys("AKIDSELF"), "process": {"credential_process": "sh {home}/process.sh"},
            "SSO": sso_properties("legacy"), "a session name": {"role_session_name": "nightly"}}[more])
        files.profile("web", properties)
        case = make.profile_case("a web identity", f"in a profile has {told} and the role {role}"
                                 + (f", and {more} beside" if more else ""), files, "web")
        case["files"].update({"token": token} if token else {})
        case["files"].update({"process.sh": process_script("AKIDPROCESS"), cache_path(START_URL): cache_text()})


# SSO ------------------------------------------------------------------------------------------------------------------

def cache_path(name):
    return f".aws/sso/cache/{hashlib.sha1(name.encode()).hexdigest()}.json"


def cache_text(token="TOKEN", expires=LATER, **more):
    return json.dumps({
        "startUrl": START_URL, "region": "us-east-1", "accessToken": token, "expiresAt": expires, **more})


def sso_properties(form, role="reader"):
    own = {"sso_account_id": ACCOUNT, "sso_role_name": role}
    if form == "legacy":
        return dict(own, sso_start_url=START_URL, sso_region="us-east-1")
    return dict(own, sso_session="my-sso")


SSO_SESSION = {"sso_start_url": START_URL, "sso_region": "us-east-1", "sso_registration_scopes": "sso:account:access"}
REGISTRATION = {"clientId": "id", "clientSecret": "secret", "registrationExpiresAt": LATER}
SSO_CACHES = [
    ("a valid token", cache_text()),
    ("a valid token that ends in UTC", cache_text(expires="2099-01-01T00:00:00UTC")),
    ("an expired token", cache_text(expires=LONG_AGO)),
    ("no token", None),
    ("a token that is refused", cache_text("refused")),
]
SSO_SESSION_CACHES = [
    ("a valid token and a refresh token", cache_text(refreshToken="REFRESH", **REGISTRATION)),
    ("an expired token and a refresh token", cache_text(expires=LONG_AGO, refreshToken="REFRESH", **REGISTRATION)),
    ("an expired token and a refresh token that is refused",
     cache_text(expires=LONG_AGO, refreshToken="refused", **REGISTRATION)),
    ("an expired token and an expired registration",
     cache_text(expires=LONG_AGO, refreshToken="REFRESH", **dict(REGISTRATION, registrationExpiresAt=LONG_AGO))),
]


@feature
def sso(make):
    rows = [("legacy", row) for row in SSO_CACHES if "expired" not in row[0]]
    rows += [("session", row) for row in SSO_CACHES + SSO_SESSION_CACHES]
    for (form, (told, text)), role, _ in itertools.product(rows, ("reader", "absent"), range(2)):
        files = Files()
        files.profile("sso", sso_properties(form, role))
        if form == "session":
            files.sections["sso-session my-sso"] = SSO_SESSION
        case = make.profile_case("SSO", f"in its {form} form has {told} and the role {role}", files, "sso")
        if text:
            case["files"][cache_path(START_URL if form == "legacy" else "my-sso")] = text


@feature
def sso_expired(make):
    """An older botocore sends an expired token of the legacy form, and lets the server refuse it."""
    case = make.add("SSO", "in its legacy form has an expired token", region=False, newer=True,
                    environment={"AWS_REGION": "us-east-1"})
    lines = [f"{name} = {value}" for name, value in sso_properties("legacy").items()]
    case["files"][".aws/config"] = "\n".join(["[default]", *lines, ""])
    case["files"][cache_path(START_URL)] = cache_text(expires=LONG_AGO)


@feature
def sso_lacking(make):
    rows = [("legacy", name) for name in sso_properties("legacy")]
    rows += [("session", name) for name in (
        "sso_account_id", "sso_role_name", "its section", "sso_start_url", "sso_region")]
    for form, lacking in rows:
        files = Files()
        files.profile("sso", {k: v for k, v in sso_properties(form).items() if k != lacking})
        if form == "session" and lacking != "its section":
            files.sections["sso-session my-sso"] = {k: v for k, v in SSO_SESSION.items() if k != lacking}
        case = make.profile_case("SSO", f"in its {form} form lacks {lacking}", files, "sso")
        for name in (START_URL, "my-sso"):
            case["files"][cache_path(name)] = cache_text()
    files = Files()
    files.profile("sso", dict(sso_properties("session"), sso_region="eu-west-1"))
    files.sections["sso-session my-sso"] = SSO_SESSION
    make.profile_case("SSO", "has another region in the profile than in the session", files, "sso")
    files = Files()
    files.profile("sso", dict(sso_properties("legacy"), **keys("AKIDSELF"), credential_process="sh {home}/absent"),
                  keys("AKIDSELF"))
    case = make.profile_case("SSO", "comes before a process and keys", files, "sso")
    case["files"][cache_path(START_URL)] = cache_text()


# Process --------------------------------------------------------------------------------------------------------------

def output(**members):
    return json.dumps({"Version": 1, "AccessKeyId": "AKIDPROCESS", "SecretAccessKey": "secret", **members})


def process_script(key):
    return f"echo '{output(AccessKeyId=key)}'\n"


def without(name):
    return json.dumps({k: v for k, v in json.loads(output()).items() if k != name})


SCRIPTS = [
    ("prints keys", f"echo '{output()}'"),
    ("prints keys and a token", f"echo '{output(SessionToken='t')}'"),
    ("prints keys that expire", f"echo '{output(SessionToken='t', Expiration=LATER)}'"),
    ("prints more members than it should", f"echo '{output(Later={'a': 1}, AccountId=ACCOUNT)}'"),
    ("prints a document of several lines", "cat << 'END'\n{\n  \"Version\": 1,\n  \"AccessKeyId\": \"AKIDPROCESS\",\n"
     "  \"SecretAccessKey\": \"\\u0073ecret\"\n}\nEND"),
    ("prints to stderr too", f"echo careful >&2; echo '{output()}'"),
    ("tells its environment", f"printf '{output(AccessKeyId='AKID%s')}' \"$MARK\""),
    ("tells its second argument", f"printf '{output(AccessKeyId='AKID%s')}' \"$2\""),
    ("prints no version", f"echo '{without('Version')}'"),
    ("prints version 2", f"echo '{output(Version=2)}'"),
    ("prints no id", f"echo '{without('AccessKeyId')}'"),
    ("prints no secret", f"echo '{without('SecretAccessKey')}'"),
    ("prints no JSON", "echo no"),
    ("prints nothing", "true"),
    ("prints half a document", "printf '{\"Version\": 1, \"AccessKeyId\": \"AKID\"'"),
    ("fails", "echo no >&2; exit 3"),
    ("prints keys and fails", f"echo '{output()}'; exit 1"),
]
COMMANDS = [
    "sh {home}/process.sh one two", "/bin/sh {home}/process.sh 'a' \"b\"", "sh \"{home}/process.sh\" one t'w'o",
    "sh   {home}/process.sh\tone   two", "'sh' {home}/process.sh '' \"t w\\\"o\"", "sh {home}/pro\\cess.sh x y\\ z",
    "/usr/bin/env MARK=marked sh {home}/process.sh $HOME ~", "sh {home}/process.sh 'a;b' '|' > '*'"]
BROKEN_COMMANDS = [
    ("is not there", "/nonexistent/program"), ("is not in the path", "no-such-program-here one"),
    ("has a quote that is not closed", "sh '{home}/process.sh"), ("is a directory", "/tmp"),
    ("may not be run", "{home}/process.sh"), ("is empty", ""), ("is an empty word", "''")]


@feature
def process(make):
    for (told, script), file in itertools.product(SCRIPTS, ("config", "credentials")):
        for command in make.dice.sample(COMMANDS, 2) if "argument" not in told else COMMANDS:
            files, name = Files(), make.one(["default", "dev"])
            properties = {"credential_process": command}
            files.profile(name, *((properties, None) if file == "config" else (None, properties)))
            if make.some(0.2) and file == "config":
                files.profile(name, keys("AKIDSELF"))
            case = make.profile_case(
                "a process", f"of the {file} file {told}, as {command}", files, name, environment={"MARK": "mark"})
            case["files"]["process.sh"] = script + "\n"
    for told, command in BROKEN_COMMANDS:
        files = Files()
        files.profile("default", {"credential_process": command})
        case = make.profile_case("a process", told, files)
        case["files"]["process.sh"] = process_script("AKIDPROCESS")


# Container and instance -----------------------------------------------------------------------------------------------

@feature
def container(make):
    # Garbage is asked for again, which takes its time.
    for kind, token in [("garbage", None), *itertools.product(("ok", "absent"), (None, "Bearer-1", ""))]:
        environment = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "{fake}/container/" + kind}
        if token is not None:
            environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = token
        make.add("a container", f"answers {kind} with the token {token}", environment=environment)
        make.add("a container", f"answers {kind} with the token {token}, and there are keys", environment={
            **environment, **variables("AKIDENV")})
        files = Files()
        files.profile("default", *make.one([(keys("AKIDCONFIG"), None), (None, keys("AKIDCREDENTIALS")), ({}, {})]))
        make.add("a container", f"answers {kind} with the token {token}, and there is a profile", files, environment)
    for url in ("http://example.com/x", "http://169.254.169.254/x", "http://10.0.0.1/x", "http:///x", "no URL",
                "http://localhost.example.com/", "http://127.0.0.1.example.com/", "ftp//127.0.0.1"):
        make.add("a container", f"at {url} is refused", environment={"AWS_CONTAINER_CREDENTIALS_FULL_URI": url})
    for name in ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        make.add("a container", f"is not there where {name} is empty", environment={name: ""})


@feature
def container_token_file(make):
    for token, variable in itertools.product(("token-1", "", None), ("", "Bearer-1")):
        environment = {
            "AWS_REGION": "us-east-1", "AWS_CONTAINER_CREDENTIALS_FULL_URI": "{fake}/container/ok",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "{home}/container-token",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": variable}
        case = make.add("a container's token file", f"has {token!r}, the variable {variable!r}", region=False,
                        newer=True, environment=environment)
        if token is not None:
            case["files"]["container-token"] = token


@feature
def instance(make):
    rows = [("has a role", "{imds_ok}"), ("has a role, its URL ends in a slash", "{imds_ok}/"),
            ("has no role", "{imds_no_role}"), ("has a role without trust", "{imds_no_profile}")]
    for (told, url), disabled in itertools.product(rows, ("false", "true", "TRUE", "")):
        environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_EC2_METADATA_DISABLED": disabled}
        make.add("an instance", f"{told}, with AWS_EC2_METADATA_DISABLED {disabled!r}", environment=environment)
    for told, url in rows:
        files = Files()
        files.profile("default", {"ec2_metadata_service_endpoint": url})
        make.profile_case("an instance", f"named by the profile {told}", files,
                          environment={"AWS_EC2_METADATA_DISABLED": "false"})
        make.add("an instance", f"{told}, and there are keys", environment={
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_EC2_METADATA_DISABLED": "false", **variables("AKIDENV")})


# Files ----------------------------------------------------------------------------------------------------------------

# (what the file has, its text); dev has keys in all that are right.
KEYS = "aws_access_key_id = AKIDDEV\naws_secret_access_key = secret\n"
RIGHT_FILES = [
    ("CRLF line ends", f"[profile dev]\n{KEYS}".replace("\n", "\r\n")),
    ("a tab in a header", f"[profile\tdev]\n{KEYS}"),
    ("several blanks in a header", f"[profile   dev]\n{KEYS}"),
    ("a comment after a header", f"[profile dev] ; mine\n{KEYS}"),
    ("comments of both kinds", f"# one\n; two\n[profile dev]\n#three\n{KEYS};four\n"),
    ("no newline at its end", f"[profile dev]\n{KEYS}".rstrip("\n")),
    ("blank lines everywhere", f"\n\n[profile dev]\n\n{KEYS}\n\n"),
    ("lines of blanks", f" \n\t\n[profile dev]\n \t\n{KEYS}"),
    ("names in upper case", f"[profile dev]\n{KEYS.replace('aws_access_key_id', 'AWS_ACCESS_KEY_ID')}"),
    ("values with equals signs", "[profile dev]\naws_access_key_id = AKID=DEV=\naws_secret_access_key = a=b\n"),
    ("a number sign inside a value", "[profile dev]\naws_access_key_id = AKID#DEV\naws_secret_access_key = a#b\n"),
    ("a semicolon inside a value", "[profile dev]\naws_access_key_id = AKID;DEV\naws_secret_access_key = a;b\n"),
    ("blanks inside a value", "[profile dev]\naws_access_key_id = AKID DEV\naws_secret_access_key = a b\n"),
    ("quotes around values", "[profile dev]\naws_access_key_id = \"AKIDDEV\"\naws_secret_access_key = 'x'\n"),
    ("a percent sign in a value", "[profile dev]\naws_access_key_id = AKID%(x)s\naws_secret_access_key = %\n"),
    ("letters of other alphabets in a value", f"[profile dev]\n{KEYS}note = \u65e5\u672c \u00e9\n"),
    ("a nested block before the keys", f"[profile dev]\ns3 =\n  a = b\n\n  c =d\n{KEYS}"),
    ("a nested block with keys of the same names", f"[profile dev]\n{KEYS}s3 =\n  aws_access_key_id = AKIDNESTED\n"),
    ("a continued value", f"[profile dev]\nnote = a\n  b\n\tc\n{KEYS}"),
    ("a continued value that looks like keys", f"[profile dev]\n{KEYS}note = a\n  aws_access_key_id = AKIDNESTED\n"),
    ("a section without a prefix", f"[dev]\naws_access_key_id = AKIDWRONG\n[profile dev]\n{KEYS}"),
    ("sections of other kinds",
     f"[plugins]\na = b\n[profile dev]\n{KEYS}[services x]\ns3 =\n  a = b\n[sso-session y]\nz = 1\n"),
    ("a prefix in the wrong case", f"[Profile dev]\n{KEYS}[profile dev]\n{KEYS.replace('DEV', 'RIGHT')}"),
    ("a profile that is named as a kind", f"[profile sso-session]\na = b\n[profile dev]\n{KEYS}"),
    ("an empty profile before it", f"[profile a]\n[profile b]\n[profile dev]\n{KEYS}"),
    ("only its header", "[profile dev]\n"),
    ("only a profile whose name begins alike", f"[profile device]\n{KEYS}"),
    ("only a profile in another case", f"[profile Dev]\n{KEYS}"),
    ("only a header without a separator", f"[profiledev]\n{KEYS}"),
    ("a header without a name", f"[profile]\n{KEYS}"),
    ("the default profile twice, with a prefix last",
     f"[profile dev]\n{KEYS}[default]\na = b\n[profile default]\nc = d\n"),
    ("nothing", ""),
    ("only comments", "# a\n; b\n"),
]
BROKEN_FILES = [
    ("a header that is not closed", f"[profile dev\n{KEYS}"),
    ("a header that is not closed, after a good one", f"[profile dev]\n{KEYS}[profile x\na = b\n"),
    ("a property before every header", f"region = us-east-1\n[profile dev]\n{KEYS}"),
    ("a line without an equals sign", f"[profile dev]\n{KEYS}nonsense\n"),
    ("a property without a name", f"[profile dev]\n{KEYS}= value\n"),
    ("a continuation at its begin", f"  a\n[profile dev]\n{KEYS}"),
    ("a continuation after a header", f"[profile dev]\n  a\n{KEYS}"),
    ("a nested line without an equals sign", f"[profile dev]\n{KEYS}s3 =\n  a\n"),
    ("a nested line without an equals sign, in another profile", f"[profile x]\ns3 =\n  a\n[profile dev]\n{KEYS}"),
    ("text before its header", f"hello\n[profile dev]\n{KEYS}"),
]


@feature
def files(make):
    for (told, text), selected in itertools.product(RIGHT_FILES + BROKEN_FILES, ("argument", "variable")):
        case = make.add(
            "the config file", f"has {told}, the profile dev named by the {selected}",
            environment={"AWS_PROFILE": "dev"} if selected == "variable" else {},
            arguments={"profile": "dev"} if selected == "argument" else {})
        case["files"][".aws/config"] = text
    for told, text in BROKEN_FILES + RIGHT_FILES[:20]:
        case = make.add("the credentials file", f"has {told}", arguments={"profile": "dev"})
        case["files"][".aws/credentials"] = re.sub(r"\[profile\s+dev", "[dev", text)
    for told, text in BROKEN_FILES:
        case = make.add("the config file", f"has {told}, and all else is given", environment=variables("AKIDENV"))
        case["files"][".aws/config"] = text


# Several at once ------------------------------------------------------------------------------------------------------

@feature
def mixtures(make):
    """Several providers at once, in the order in which both look at them."""
    for number in range(120):
        case = make.add("several providers", "")
        files, name, told = Files(), make.one(["default", "default", *NAMES]), []
        files.profile(name, {"output": "json"})
        if make.some(0.3):
            told.append("keys in the environment")
            case["environment"].update(make.one([variables("AKIDENV"), variables("AKIDENV", "token")]))
        if make.some(0.6):
            told.append(mix_profile(make, case, files, name))
        if make.some(0.4):
            kind = make.one(["ok", "ok", "absent"])
            told.append(f"a container that answers {kind}")
            case["environment"]["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "{fake}/container/" + kind
        if make.some(0.3):
            told.append("an instance")
            case["environment"]["AWS_EC2_METADATA_DISABLED"] = "false"
            case["environment"]["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = make.one(["{imds_ok}", "{imds_no_role}"])
        how = make.select(case, name)
        case["name"] = f"{number}: {'; '.join(told) or 'none'}; the profile {name} named {how}"
        make.write(case, files)


def mix_profile(make, case, files, name):
    told, put = make.one(base_kinds())
    if make.some(0.4):
        files.profile(name, {"role_arn": role_arn("mixed"), "source_profile": "base", **role_options(make)})
        told, name = "a role of " + told, "base"
    put(make, case, files, name)
    return told


# Differences that are meant -------------------------------------------------------------------------------------------

DEV = {"access_key_id": "AKIDDEV", "provider": "profile"}
REGION = "region = eu-west-1\n"
IRISH = {"region": "eu-west-1", **DEV}
UNREADABLE = {"code": "ConfigParseError"}
# (the difference, what we find, the config file)
DIFFERENT_FILES = [
    ("comments after values", IRISH, f"[profile dev]\n{KEYS}region = eu-west-1 # Ireland\n"),
    ("duplicates", IRISH, f"[profile dev]\n{KEYS}region = us-east-1\nRegion = eu-west-1\n"),
    ("duplicates", IRISH, f"[profile dev]\n{KEYS}[profile x]\n[profile dev]\n{REGION}"),
    ("colons", UNREADABLE, f"[profile dev]\n{KEYS}region : eu-west-1\n"),
    ("indentation", UNREADABLE, f"[profile dev]\n  {REGION}{KEYS}"),
    ("indentation", UNREADABLE, f"[profile dev]\n{KEYS}{REGION}s3 =\n  # a comment\n  a = b\n"),
    ("blanks before a prefix", IRISH, f"[ profile dev ]\n{KEYS}{REGION}"),
    ("illegal names", {"code": "ProfileNotFound"}, f"[profile 'dev']\n{KEYS}{REGION}"),
    ("booleans", {"code": "InvalidConfigError"}, f"[profile dev]\n{KEYS}{REGION}use_fips_endpoint = yes\n"),
    ("booleans", {"code": "InvalidConfigError"}, f"[profile dev]\n{KEYS}{REGION}use_dualstack_endpoint = 1\n"),
    ("a secret without an id", {"code": "PartialCredentialsError"},
     f"[profile dev]\n{REGION}aws_secret_access_key = s\n"),
]


@feature
def different_files(make):
    for number, (difference, ours, text) in enumerate(DIFFERENT_FILES):
        case = make.add("a difference", f"in {difference} ({number}) is as stated", arguments={"profile": "dev"},
                        region=False, difference=difference, ours=ours)
        case["files"][".aws/config"] = text
    case = make.add("a difference", "in two default profiles is as stated", region=False,
                    difference="two default profiles", ours={"region": "eu-west-1", **DEV})
    case["files"][".aws/config"] = f"[profile default]\n{KEYS}region = eu-west-1\n[default]\nregion = us-east-1\n"
    case = make.add("a difference", "in keys that two files share is as stated", arguments={"profile": "dev"},
                    difference="keys that two files share", ours=DEV)
    case["files"].update({
        ".aws/config": "[profile dev]\naws_secret_access_key = secret\n",
        ".aws/credentials": "[dev]\naws_access_key_id = AKIDDEV\n"})


@feature
def different_flags(make):
    for name in ("FIPS", "DUALSTACK"):
        make.add("a difference", f"in {name} with a custom endpoint is as stated",
                 environment={**variables("AKIDENV"), f"AWS_USE_{name}_ENDPOINT": "true"},
                 arguments={"endpoint_url": "https://example.com"}, difference="variants of a custom endpoint",
                 ours={"code": "EndpointProviderError"})
        for value in ("yes", "1", "on", "tru", " true"):
            make.add("a difference", f"in {name} '{value}' is as stated", difference="booleans",
                     environment={**variables("AKIDENV"), f"AWS_USE_{name}_ENDPOINT": value},
                     ours={"code": "InvalidConfigError"})


@feature
def different_orders(make):
    web = {"AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/token", "AWS_ROLE_ARN": role_arn("web")}
    kinds = [("keys", (keys("AKIDCONFIG"), None), "AKIDCONFIG", "profile"),
             ("keys in the credentials file", (None, keys("AKIDCREDENTIALS")), "AKIDCREDENTIALS", "profile"),
             ("a process", ({"credential_process": "sh {home}/process.sh"}, None), "AKIDPROCESS", "process"),
             ("SSO", (sso_properties("legacy"), None), f"ASIAreaderIn{ACCOUNT}ByTOKEN", "sso")]
    for told, properties, key, provider in kinds:
        files = Files()
        files.profile("default", *properties)
        case = make.add("a difference", f"between a web identity in the environment and {told} is as stated", files,
                        environment=web, difference="web identity in the environment",
                        ours={"access_key_id": key, "provider": provider})
        case["files"].update({"token": "TOKEN", "process.sh": process_script("AKIDPROCESS"),
                              cache_path(START_URL): cache_text()})
    files = Files()
    files.profile("default", {"credential_process": "sh {home}/process.sh"}, keys("AKIDCREDENTIALS"))
    case = make.add("a difference", "between a process and keys in the credentials file is as stated", files,
                    difference="process before keys", ours={"access_key_id": "AKIDPROCESS", "provider": "process"})
    case["files"]["process.sh"] = process_script("AKIDPROCESS")
    files = Files()
    files.profile("web", {"web_identity_token_file": "{home}/token"})
    case = make.add("a difference", "in a web identity of profile and environment is as stated", files,
                    environment={"AWS_ROLE_ARN": role_arn("web"), "AWS_PROFILE": "web"},
                    difference="web identity of profile and environment", ours={"code": "InvalidConfigError"})
    case["files"]["token"] = "TOKEN"
    make.add("a difference", "in instance metadata of version 1 is as stated",
             environment={"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "{imds_v1}"},
             difference="instance metadata of version 1", ours={"code": "NoCredentialsError"})


def main(seed):
    make = Maker(int(seed))
    for function in FEATURES:
        function(make)
    names = set()
    for case in make.cases:
        name, number = case["name"], 2
        while (case["feature"], name) in names:
            name, number = f"{case['name']} ({number})", number + 1
        case["name"] = name
        names.add((case["feature"], name))
        print(json.dumps(case))


main(sys.argv[1])

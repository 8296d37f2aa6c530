"""spec/core/retry_vectors.h: what the retry policy of botocore's standard and adaptive modes (the classic numbers) makes
of fixed inputs, under a clock and a random source of our own. Prints the header. Usage: retry_oracle.py
"""
import math
import os
import random
from types import SimpleNamespace

os.environ.pop("AWS_NEW_RETRIES_2026", None)

# pylint: disable=wrong-import-position
from botocore import exceptions
from botocore.retries import adaptive, bucket, quota, standard, throttling

CODES = """
Throttling ThrottlingException ThrottledException RequestThrottledException TooManyRequestsException
ProvisionedThroughputExceededException TransactionInProgressException RequestLimitExceeded BandwidthLimitExceeded
LimitExceededException RequestThrottled SlowDown PriorRequestNotComplete EC2ThrottledException RequestTimeout
RequestTimeoutException InvalidRequestException InvalidStateException ResourceNotFoundException
InternalServiceErrorException ServiceQuotaExceededException AccessDeniedException AuthFailure ExpiredTokenException
InvalidSignatureException SignatureDoesNotMatch RequestTimeTooSkewed RequestExpired RequestInTheFuture
UnrecognizedClientException ValidationException throttling Throttling. IDPCommunicationError
""".split()

FAILURES = """
EndpointConnectionError ConnectionClosedError ProxyConnectionError HTTPClientError ConnectTimeoutError
ReadTimeoutError ParamValidationError NoRegionError NoCredentialsError PartialCredentialsError
CredentialRetrievalError UnauthorizedSSOTokenError ProfileNotFound
""".split()

FIELDS = {
    name: "x"
    for name in "endpoint_url error report provider cred_var error_msg profile request proxy_url".split()
}

OPERATION = SimpleNamespace(
    name="PauseService", error_shapes=[], service_model=SimpleNamespace(service_name="apprunner"))


def exception(name):
    return getattr(exceptions, name)(**FIELDS)


def context(status=None, code=None, failure=None, attempt=1, call=None):
    return standard.RetryContext(
        attempt_number=attempt,
        operation_model=OPERATION,
        parsed_response=None if status is None else {"Error": {"Code": code} if code else {}},
        http_response=None if status is None else SimpleNamespace(status_code=status, headers={}),
        caught_exception=failure,
        request_context=call,
    )


def quoted(text):
    return '"%s"' % text


def table(fields, name, rows):
    print("static const struct {\n  %s\n} %s[] = {" % (fields, name))
    for row in rows:
        print("    {%s}," % ", ".join(str(value) for value in row))
    print("};\n")


def truth(value):
    return int(bool(value))


def codes():
    """Of error codes under status 400: whether retried, whether throttling."""
    retryable, throttled = standard.StandardRetryConditions(), standard.ThrottledRetryableChecker()
    for code in CODES:
        at = context(status=400, code=code)
        yield quoted(code), truth(retryable.is_retryable(at)), truth(throttled.is_retryable(at))


def statuses():
    """The error statuses that are retried for what they are."""
    for status in range(300, 1000):
        if standard.StandardRetryConditions().is_retryable(context(status=status)):
            yield (status,)


def failures():
    """Of exceptions: whether retried, and the price."""
    for name in FAILURES:
        at = context(failure=exception(name))
        tokens = quota.RetryQuota()
        standard.RetryQuotaChecker(tokens).acquire_retry_quota(at)
        retryable = truth(standard.StandardRetryConditions().is_retryable(at))
        yield quoted(name), retryable, 500 - tokens.available_capacity if retryable else 0


def delays():
    """Milliseconds before a retry. Where the wait is capped versions of botocore differ unless r is 1."""
    for retry in (1, 2, 3, 4, 5, 6, 39):
        for r in (0, 0.125, 0.5, 0.6875, 1):
            if retry <= 5 or r == 1:
                backoff = standard.ExponentialBackoff(random=lambda value=r: value)
                yield retry, r, int(backoff.delay_amount(context(attempt=retry)) * 1000)


def quotas():
    """Calls that share a quota, one event a row: T a timeout, E another failure, to be paid for; S a success. `call` is
    the call's number, `left` what is left afterwards. A call that cannot pay is over."""
    dice, tokens = random.Random(1), quota.RetryQuota()
    checker = standard.RetryQuotaChecker(tokens)
    calls = {}
    for step in range(300):
        number = dice.randrange(8)
        call = calls.setdefault(number, {})
        # Failures prevail at first, then successes.
        if dice.random() < (0.15 if step < 150 else 0.6):
            event, paid = "S", True
            checker.release_retry_quota(call, SimpleNamespace(status_code=200))
        else:
            event = dice.choice("TE")
            failure = exception("ReadTimeoutError" if event == "T" else "EndpointConnectionError")
            paid = checker.acquire_retry_quota(context(failure=failure, call=call))
        if event == "S" or not paid:
            del calls[number]
        yield number, "'%s'" % event, truth(paid), tokens.available_capacity


class Limiter:
    """botocore's limiter, on a clock in milliseconds that is set by hand."""

    def __init__(self, now):
        self.now = now
        self.cubic = throttling.CubicCalculator(0, self.current_time())
        self.tokens = bucket.TokenBucket(1, self)
        self.rate = adaptive.RateClocker(self)
        self.limiter = adaptive.ClientRateLimiter(self.cubic, self.rate, self.tokens, self, self)

    def current_time(self):
        return self.now / 1000

    @staticmethod
    def is_throttling_error(throttled):
        return throttled

    def acquire(self):
        """Milliseconds until there is a token, 0 if it was taken."""
        if not self.limiter._enabled:
            return 0
        try:
            self.tokens.acquire(block=False)
            return 0
        except exceptions.CapacityNotAvailableError:
            return self.tokens._sleep_amount(1) * 1000

    def row(self, event, wait=0):
        return (self.now, "'%s'" % event, "%.10g" % wait, "%.10g" % self.rate.measured_rate,
                "%.10g" % self.tokens.max_rate, "%.10g" % self.tokens.available_capacity)


def limited(seed, start, pause, share):
    """Attempts, each followed by its end, on average `pause` ms apart, of which a `share` is throttled. Every other that
    is to wait does so, and asks once more."""
    dice = random.Random(seed)
    limiter = Limiter(start)
    yield limiter.row("0")
    for step in range(40):
        limiter.now += int(dice.random() * 2 * pause)
        wait = limiter.acquire()
        yield limiter.row("A", wait)
        if wait and step % 2:
            limiter.now += math.ceil(wait)
            yield limiter.row("A", limiter.acquire())
        limiter.now += int(dice.random() * pause / 4)
        throttled = step > 5 and dice.random() < share
        limiter.limiter.on_receiving_response(throttled=throttled)
        yield limiter.row("T" if throttled else "S")


def limits():
    """Events of several limiters, each begun by a row 0: A an attempt that asks, S and T an end, T by throttling; and the
    state afterwards."""
    yield from limited(1, 1000000, 40, 0.2)
    yield from limited(2, 10700, 200, 0.1)
    yield from limited(3, 999, 3, 0.5)
    yield from limited(4, 123456, 2500, 0.3)
    yield from limited(5, 5000, 150, 0)
    # Throttled at once, before a rate was measured.
    yield from limited(6, 0, 30, 1)


print("/* Made by: python3 spec/support/retry_oracle.py > spec/core/retry_vectors.h */")
print("/* clang-format off */\n")
table("const char *code; int retryable, throttling;", "oracle_codes", codes())
table("int status;", "oracle_statuses", statuses())
table("const char *failure; int retryable, cost;", "oracle_failures", failures())
table("int retry; double r01; int delay;", "oracle_delays", delays())
table("int call; char event; int paid, left;", "oracle_quota", quotas())
table("int now; char event; double wait, measured, fill_rate, tokens;", "oracle_limiter", limits())

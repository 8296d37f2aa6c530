"""Pauses by boto3: peer.py WORK N URL CA [CONCURRENCY] prints the microseconds that one took, of the clock and of the
processor. WORK is pause, or client: a client of the shared files. WARM_UP in the environment is how many go before.
"""
import os
import sys
import time

import boto3

ARN = "arn:aws:apprunner:us-east-1:123456789012:service/python-app/8fe1e10304f84fd2b0df550fe98a71fa"


def new_client(url, ca, concurrency):
    from botocore.config import Config

    verify = ca if ca != "-" else None
    return boto3.client("apprunner", endpoint_url=url, verify=verify, config=Config(max_pool_connections=concurrency))


def pause_all(client, n, concurrency):
    if concurrency == 1:
        for _ in range(n):
            client.pause_service(ServiceArn=ARN)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(concurrency) as pool:
        for _ in pool.map(lambda _: client.pause_service(ServiceArn=ARN), range(n)):
            pass


def pauses(url, ca, concurrency="1"):
    client = new_client(url, ca, int(concurrency))
    return lambda n: pause_all(client, n, int(concurrency))


def clients(profile):
    def make(n):
        for _ in range(n):
            boto3.Session(profile_name=profile).get_credentials()

    return make


def main(work, n, *arguments):
    run = {"pause": pauses, "client": clients}[work](*arguments)
    run(int(os.environ.get("WARM_UP", "0")))
    clock, processor = time.perf_counter(), time.process_time()
    run(int(n))
    clock, processor = time.perf_counter() - clock, time.process_time() - processor
    print(f"{clock * 1e6 / int(n):.4f} {processor * 1e6 / int(n):.4f}")


main(*sys.argv[1:])

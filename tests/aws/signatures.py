"""Are our signatures botocore's? Generated requests, as headers and in the query, S3's way too; and MSK's token."""
import datetime
import json
import os
import pathlib
import random
import subprocess
import sys
import urllib.parse
from unittest import mock

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kafka"))
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")

import botocore.auth  # noqa: E402
from botocore.awsrequest import AWSRequest  # noqa: E402
from botocore.credentials import Credentials  # noqa: E402
import aws_msk_iam_sasl_signer.MSKAuthTokenProvider as msk  # noqa: E402

SEED, CASES, TOKENS = 20260102, 600, 40
SEGMENTS = ["", ".", "..", "a", "a b", "ä", "名前", "arn:aws:kafka:eu-north-1:1:cluster/m/a-1", "a+b", "a%b", "~x_y-z.", "a=b&c", "*(')!", "@$,;:"]
HEADERS = [("Content-Type", "application/x-amz-json-1.0"), ("X-Amz-Target", "DynamoDB_20120810.PutItem"), ("X-Spaces", "  a   b \t c  "),
           ("X-Repeated", "one"), ("X-Repeated", " two  three "), ("User-Agent", "changes on the way"), ("x-amzn-trace-id", "t"),
           ("Expect", "100-continue"), ("Empty", ""), ("X-AMZ-Meta-Z", "z"), ("a-first", "1")]


def text(dice):
    return "".join(dice.choice("aZ09-_.~ +/=&%?#:@!*'(),;\"\\äé名😀") for _ in range(dice.randrange(0, 12)))


def quoted(value):
    return urllib.parse.quote(value, safe="-_.~")


def case(dice):
    service = dice.choice(["dynamodb", "sts", "kafka", "s3", "kafka-cluster"])
    form = dice.choice(["header", "query"])
    names = [text(dice) or "n" for _ in range(dice.randrange(0, 5))]
    # botocore keeps one value per name when it signs in the query.
    pairs = [(name, text(dice)) for name in (dict.fromkeys(names) if form == "query" else names + names[:dice.randrange(0, 3)])]
    # A pair without = is the header form's; the query form writes all of them anew, with one.
    query = "&".join(quoted(n) + ("=" + quoted(v) if form == "query" or v or dice.random() < .5 else "") for n, v in pairs)
    return {"form": form, "service": service, "region": dice.choice(["eu-north-1", "us-east-1", "cn-north-1"]),
            "method": dice.choice(["GET", "POST", "PUT", "DELETE"]),
            "base": dice.choice(["https://example.amazonaws.com", "http://127.0.0.1:8000", "https://h.example:8443", "http://h:80"]),
            "path": "/" + "/".join(quoted(dice.choice(SEGMENTS)) for _ in range(dice.randrange(0, 5))),
            "query": query, "body": dice.choice(["", "{}", text(dice)]), "headers": dice.sample(HEADERS, dice.randrange(0, 6)),
            "id": "AKIDEXAMPLE", "key": "wJalr+XUtn/" + dice.choice(["a", "b"]),
            "token": dice.choice(["", "", "FQoG+/=token" + quoted(text(dice))]),
            "millis": dice.randrange(1_000_000_000, 4_000_000_000) * 1000 + dice.randrange(1000)}


def at(millis):
    return datetime.datetime.fromtimestamp(millis // 1000, datetime.timezone.utc)


def theirs(told):
    now = at(told["millis"])
    credentials = Credentials(told["id"], told["key"], told["token"] or None)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda *a, **k: now.replace(tzinfo=None)):
        if told["form"] == "msk":
            with mock.patch.object(msk, "__get_user_agent__", lambda: told["agent"]):
                return getattr(msk, "__construct_auth_token")(told["region"], credentials)[0]
        s3 = told["service"] == "s3"
        kind = {("header", False): botocore.auth.SigV4Auth, ("header", True): botocore.auth.S3SigV4Auth,
                ("query", False): botocore.auth.SigV4QueryAuth, ("query", True): botocore.auth.S3SigV4QueryAuth}[told["form"], s3]
        url = told["base"] + told["path"] + ("?" + told["query"] if told["query"] else "")
        request = AWSRequest(method=told["method"], url=url, data=told["body"].encode())
        for name, value in told["headers"]:
            request.headers.add_header(name, value)
        if told["form"] == "header":
            request.context["payload_signing_enabled"] = True
            kind(credentials, told["service"], told["region"]).add_auth(request)
            return request.headers["Authorization"]
        request.data, request.body  # noqa: B018 - the query form signs the body as it is
        signer = kind(credentials, told["service"], told["region"], expires=900)
        with mock.patch.object(botocore.auth, "_get_body_as_dict", lambda _: {}):
            signer.add_auth(request)
        return urllib.parse.parse_qs(urllib.parse.urlsplit(request.url).query)["X-Amz-Signature"][0]


def main():
    dice = random.Random(SEED)
    cases = [case(dice) for _ in range(CASES)]
    # In the query form botocore moves a body into the query; nobody presigns with one.
    for told in cases:
        if told["form"] == "query":
            told["body"] = ""
    cases += [dict(case(dice), form="msk", agent=quoted(text(dice)) or "a", region=dice.choice(["eu-north-1", "us-east-1"])) for _ in range(TOKENS)]
    ours = subprocess.run([os.environ["PENSTOCK_SIGN_CASES"]], input="".join(json.dumps(c) + "\n" for c in cases), text=True,
                          capture_output=True, check=True, timeout=60).stdout.splitlines()
    assert len(ours) == len(cases), f"{len(ours)} answers to {len(cases)} cases"
    wrong = [(c, o, t) for c, o in zip(cases, ours) if o != (t := theirs(c))]
    for told, our, their in wrong[:5]:
        print(json.dumps(told, ensure_ascii=False), f"\n  ours   {our}\n  theirs {their}")
    forms = {f: sum(c["form"] == f for c in cases) for f in ("header", "query", "msk")}
    print(f"{len(cases)} cases {forms}, {len(wrong)} differ")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

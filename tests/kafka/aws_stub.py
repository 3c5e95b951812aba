"""STS, MSK's control plane and MSK's check of tokens, strict: every signature is computed again by botocore, every credential is
one that was given out and still lives. `claims` says what happened."""
import base64
import datetime
import http.server
import json
import threading
import time
import urllib.parse
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

CANARY = "canary-"
REGION = "eu-north-1"


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Aws:
    """`brokers`: what GetBootstrapBrokers answers; `life`: of the credentials, in seconds."""

    def __init__(self, token_file, life=30):
        self.token_file, self.life, self.brokers = token_file, life, ""
        self.lock, self.given, self.sessions, self.tokens, self.refused = threading.Lock(), {}, set(), [], []
        self.refuse_logins = False
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with stub.lock:
                    status, text = stub.handle(self, body)
                self.send_response(status)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            do_GET = do_POST = answer

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handle(self, request, body):
        if request.path == "/validate":
            return self.validate(body.decode())
        if request.path.startswith("/v1/clusters/"):
            wrong = self.wrong_header(request, body)
            return (403, json.dumps({"message": wrong})) if wrong else (200, json.dumps({"bootstrapBrokerStringSaslIam": self.brokers}))
        return self.assume(dict(urllib.parse.parse_qsl(body.decode())))

    # ---- STS

    def assume(self, form):
        token = self.token_file.read_text().strip()
        if form.get("Action") != "AssumeRoleWithWebIdentity" or form.get("WebIdentityToken") != token:
            self.refused.append("token")
            return 400, "<ErrorResponse><Error><Code>InvalidIdentityToken</Code><Message>no such token</Message></Error></ErrorResponse>"
        self.sessions.add(form["RoleSessionName"])
        number = len(self.given) + 1
        identity, until = f"ASIA{number:016}", time.time() + self.life
        self.given[identity] = Credentials(identity, f"{CANARY}key-{number}", f"{CANARY}session-{number}"), until
        got = self.given[identity][0]
        return 200, (f"<R><Credentials><AccessKeyId>{identity}</AccessKeyId><SecretAccessKey>{got.secret_key}</SecretAccessKey>"
                     f"<SessionToken>{got.token}</SessionToken><Expiration>{iso(until)}</Expiration></Credentials></R>")

    # ---- signatures, by botocore

    def owner(self, identity, now):
        if identity not in self.given:
            return None, "the key is not known"
        credentials, until = self.given[identity]
        return (credentials, None) if now <= until else (None, "the credentials have expired")

    def wrong_header(self, request, body):
        told = dict(part.split("=", 1) for part in request.headers["Authorization"].removeprefix("AWS4-HMAC-SHA256 ").split(", "))
        identity, _, region, service, _ = told["Credential"].split("/")
        credentials, wrong = self.owner(identity, time.time())
        if wrong or (region, service) != (REGION, "kafka"):
            return wrong or "the scope is wrong"
        again = AWSRequest(method=request.command, url=f"{self.url}{request.path}", data=body)
        for name in told["SignedHeaders"].split(";"):
            if name not in ("host", "x-amz-security-token", "x-amz-date"):
                again.headers[name] = request.headers[name]
        if request.headers["X-Amz-Security-Token"] != credentials.token:
            return "the session token is wrong"
        self.sign(botocore.auth.SigV4Auth(credentials, service, region), again, request.headers["X-Amz-Date"])
        return None if again.headers["Authorization"] == request.headers["Authorization"] else "the signature is wrong"

    @staticmethod
    def sign(signer, request, amz_date):
        moment = datetime.datetime.strptime(amz_date, "%Y%m%dT%H%M%SZ")
        with mock.patch.object(botocore.auth, "get_current_datetime", lambda *a, **k: moment):
            signer.add_auth(request)

    # ---- what MSK does with a login

    @staticmethod
    def split_of(token):
        return urllib.parse.urlsplit(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode())

    def told_of(self, token):
        return dict(urllib.parse.parse_qsl(self.split_of(token).query))

    def validate(self, token):
        split, told = self.split_of(token), self.told_of(token)
        wrong = self.wrong_token(split, told)
        if wrong or self.refuse_logins:
            self.refused.append(wrong or "as told")
            return 403, ""
        self.tokens.append((time.time(), token))
        return 200, f"{next(iter(self.sessions))} {int(self.given[told['X-Amz-Credential'].split('/')[0]][1] * 1000)}"

    def wrong_token(self, split, told):
        if (split.scheme, split.netloc, split.path) != ("https", f"kafka.{REGION}.amazonaws.com", "/"):
            return "the address is wrong"
        if told.get("Action") != "kafka-cluster:Connect" or told.get("X-Amz-Expires") != "900" or not told.get("User-Agent"):
            return "what is asked for is wrong"
        identity, _, region, service, _ = told["X-Amz-Credential"].split("/")
        credentials, wrong = self.owner(identity, time.time())
        if wrong or (region, service) != (REGION, "kafka-cluster"):
            return wrong or "the scope is wrong"
        again = AWSRequest(method="GET", url=f"{split.scheme}://{split.netloc}/", params={"Action": told["Action"]})
        self.sign(botocore.auth.SigV4QueryAuth(credentials, service, region, expires=900), again, told["X-Amz-Date"])
        theirs = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(again.url).query))
        return None if {k: v for k, v in told.items() if k != "User-Agent"} == theirs else "the signature is wrong"

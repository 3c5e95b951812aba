"""What doubles of AWS's services share: a server, refusals, and signatures of requests, verified by botocore's own signer.

Every x-amz header has to be signed, the clock within 15 minutes, the region and the service those of the double.
"""
import datetime
import http.server
import re
import socketserver
from xml.sax.saxutils import escape

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SKEW_SECONDS = 15 * 60
AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request, ?SignedHeaders=([a-z0-9;-]+), ?"
                           r"Signature=([0-9a-f]{64})")


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Refusal(Exception):
    def __init__(self, status, code, message="", more=""):
        super().__init__(code)
        self.status, self.code, self.message, self.more = status, code, message, more

    def body(self):
        return (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message>'
                f"{self.more}</Error>")


def check_time(stamp, day):
    try:
        when = datetime.datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    except ValueError as error:
        raise Refusal(403, "AccessDenied", "no X-Amz-Date") from error
    if abs((datetime.datetime.now(datetime.timezone.utc) - when).total_seconds()) > SKEW_SECONDS:
        raise Refusal(403, "RequestTimeTooSkewed", "the clocks differ")
    if not stamp.startswith(day):
        raise Refusal(403, "SignatureDoesNotMatch", "of another day")


def expected(handler, body, scope, signed, secret):
    """`scope` is (region, service)."""
    request = AWSRequest(method=handler.command, url=f"http://{handler.headers['Host']}{handler.path}", data=body)
    for name in signed:
        for value in handler.headers.get_all(name, []):
            request.headers.add_header(name, value)
    request.context["timestamp"] = handler.headers.get("X-Amz-Date", "")
    request.context["payload_signing_enabled"] = True
    kind = botocore.auth.S3SigV4Auth if scope[1] == "s3" else botocore.auth.SigV4Auth
    signer = kind(Credentials("any", secret), scope[1], scope[0])
    return signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)


def check_signature(handler, body: bytes, service: str, region: str, keys: dict[str, str]):
    """Of a request of an http.server handler; raises a Refusal."""
    said = handler.headers.get("Authorization")
    if said is None:
        raise Refusal(403, "AccessDenied", "anonymous")
    found = AUTHORIZATION.fullmatch(said)
    if not found or found[4] != service:
        raise Refusal(400, "AuthorizationHeaderMalformed", f"it has another form, or is not for {service}")
    key_id, day, scope, _, names, signature = found.groups()
    if scope != region:
        raise Refusal(400, "AuthorizationHeaderMalformed", f"the region '{scope}' is wrong; expecting '{region}'",
                      f"<Region>{region}</Region>")
    if key_id not in keys:
        raise Refusal(403, "InvalidAccessKeyId", "there is no such key")
    signed = names.split(";")
    unsigned = [n for n in map(str.lower, handler.headers) if n.startswith("x-amz-") and n not in signed]
    if unsigned or "host" not in signed or signed != sorted(signed):
        raise Refusal(403, "AccessDenied", f"headers that are not signed: {unsigned or 'host'}")
    check_time(handler.headers.get("X-Amz-Date", ""), day)
    if signature != expected(handler, body, (region, service), signed, keys[key_id]):
        raise Refusal(403, "SignatureDoesNotMatch", "the signature is another one")

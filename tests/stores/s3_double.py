"""An S3 in memory that is as strict as the real one where a client may err: for tests.

Signatures are verified by botocore's own signer (header form only), every x-amz header has to be signed, the clock within 15
minutes, the region this one's. Checksums (CRC-32C, SHA-256 of the payload) are compared with the bytes; deletions of many and
lifecycles have to carry one. Parts are at least 5 MiB but the last; what is completed has to name each part with its ETag, in order.
Buckets are made by signed PUTs, addressed by path. What it does not know is NotImplemented, never guessed.

Not here: virtual hosts, versions, policies and users, other checksums, copies, ranges, chunked signatures, presigned addresses.

Thread      a thread for each connection; objects(), uploads() and read() from any thread.
"""
import base64
import hashlib
import http.server
import threading
import urllib.parse
import uuid
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

import google_crc32c
from aws_signed import Refusal, Server, check_signature

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
PART_MIN = 5 * 1024 * 1024
ACTIONS = {"Expiration", "Transition", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"}


def crc32c(body: bytes) -> str:
    return base64.b64encode(google_crc32c.value(body).to_bytes(4, "big")).decode()


def local(element) -> str:
    return element.tag.rsplit("}", 1)[-1]


def parse(body: bytes, root: str):
    try:
        tree = ET.fromstring(body)
    except ET.ParseError as error:
        raise Refusal(400, "MalformedXML", str(error)) from error
    if local(tree) != root:
        raise Refusal(400, "MalformedXML", f"{local(tree)} in the place of {root}")
    return tree


def text_of(element, name):
    return next((each.text or "" for each in element if local(each) == name), None)


class Upload:
    def __init__(self, key, whole):
        self.key, self.whole, self.parts = key, whole, {}  # number: (bytes, ETag, checksum)


class Bucket:
    def __init__(self):
        self.objects, self.checksums, self.uploads, self.lifecycle = {}, {}, {}, None


class S3Double:
    """with S3Double() as s3: … s3.url …"""

    def __init__(self, region="eu-north-1", key_id="AKIDEXAMPLE0", secret="xxxxxxxxxxxxxxxx"):
        self.region, self.keys = region, {key_id: secret}
        self.buckets, self.lock = {}, threading.RLock()
        handler = type("Handler", (Handler,), {"s3": self})
        self.server = Server(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def objects(self, bucket) -> list[str]:
        with self.lock:
            return sorted(self.buckets[bucket].objects)

    def uploads(self, bucket) -> list[str]:
        with self.lock:
            return sorted(one.key for one in self.buckets[bucket].uploads.values())

    def read(self, bucket, key) -> bytes:
        with self.lock:
            return self.buckets[bucket].objects[key]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    s3 = None

    def log_message(self, *_):
        pass

    def check_bytes(self):
        payload = self.headers.get("X-Amz-Content-SHA256")
        if payload is None:
            raise Refusal(400, "InvalidRequest", "x-amz-content-sha256 is missing")
        if payload != hashlib.sha256(self.body).hexdigest():
            raise Refusal(400, "XAmzContentSHA256Mismatch", "the bytes are not those that were signed")
        told = self.headers.get("x-amz-checksum-crc32c")
        of_whole = "uploadId" in self.query and self.command == "POST"
        if told is not None and not of_whole and told != crc32c(self.body):
            raise Refusal(400, "BadDigest", "the CRC32C you specified did not match")
        other = [n for n in map(str.lower, self.headers) if n.startswith("x-amz-checksum-")
                 and n not in ("x-amz-checksum-crc32c", "x-amz-checksum-mode", "x-amz-checksum-type", "x-amz-checksum-algorithm")]
        if other:
            raise Refusal(501, "NotImplemented", f"{other}")

    # ---- what is asked

    def handle_one(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        name, _, key = urllib.parse.unquote(parts.path)[1:].partition("/")
        try:
            check_signature(self, self.body, "s3", self.s3.region, self.s3.keys)
            self.check_bytes()
            with self.s3.lock:
                status, headers, body = self.serve(name, key)
        except Refusal as refusal:
            status, headers, body = refusal.status, {}, refusal.body()
            if refusal.code == "AuthorizationHeaderMalformed":
                headers["x-amz-bucket-region"] = self.s3.region
        self.answer(status, headers, body.encode() if isinstance(body, str) else body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_one

    def answer(self, status, headers, body):
        self.send_response(status)
        self.send_header("x-amz-request-id", uuid.uuid4().hex[:16])
        for name, value in headers.items():
            self.send_header(name, value)
        if "Content-Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def serve(self, name, key):
        only = set(self.query)
        if self.command == "PUT" and not key and not only:
            if name in self.s3.buckets:
                raise Refusal(409, "BucketAlreadyOwnedByYou")
            self.s3.buckets[name] = Bucket()
            return 200, {}, b""
        bucket = self.s3.buckets.get(name)
        if bucket is None:
            raise Refusal(404, "NoSuchBucket", "The specified bucket does not exist")
        table = {("GET", False): [({"list-type", "prefix"}, self.list), ({"uploads"}, self.list_uploads), ({"lifecycle"}, self.get_lifecycle)],
                 ("PUT", False): [({"lifecycle"}, self.put_lifecycle)],
                 ("POST", False): [({"delete"}, self.delete_many)],
                 ("PUT", True): [({"partNumber", "uploadId"}, self.put_part), (set(), self.put)],
                 ("POST", True): [({"uploads"}, self.create), ({"uploadId"}, self.complete)],
                 ("DELETE", True): [({"uploadId"}, self.abort), (set(), self.delete)],
                 ("GET", True): [(set(), self.get)], ("HEAD", True): [(set(), self.get)]}
        free = {"encoding-type", "max-keys", "continuation-token", "prefix", "key-marker", "upload-id-marker"} if not key else set()
        for needed, method in table.get((self.command, bool(key)), []):
            if needed <= only <= needed | free:
                return method(bucket, key)
        raise Refusal(501, "NotImplemented", f"{self.command} with {sorted(only)}")

    # ---- objects

    def put(self, bucket, key):
        if len(key.encode()) > 1024:
            raise Refusal(400, "KeyTooLongError")
        bucket.objects[key] = self.body
        bucket.checksums[key] = crc32c(self.body)
        return 200, {"ETag": f'"{hashlib.md5(self.body).hexdigest()}"', "x-amz-checksum-crc32c": bucket.checksums[key]}, b""

    def get(self, bucket, key):
        if key not in bucket.objects:
            raise Refusal(404, "NoSuchKey", "The specified key does not exist.")
        body, headers = bucket.objects[key], {"Content-Type": "application/octet-stream"}
        if self.headers.get("x-amz-checksum-mode") == "ENABLED":
            headers["x-amz-checksum-crc32c"] = bucket.checksums[key]
        if self.command == "HEAD":
            headers["Content-Length"] = str(len(body))
        return 200, headers, body

    def delete(self, bucket, key):
        bucket.objects.pop(key, None)
        return 204, {}, b""

    def needs_checksum(self):
        if "x-amz-checksum-crc32c" not in self.headers and "Content-MD5" not in self.headers:
            raise Refusal(400, "InvalidRequest", "Missing required header for this request: Content-MD5")

    def delete_many(self, bucket, _):
        self.needs_checksum()
        tree = parse(self.body, "Delete")
        keys = [text_of(each, "Key") for each in tree if local(each) == "Object"]
        if not 0 < len(keys) <= 1000 or not all(keys):
            raise Refusal(400, "MalformedXML", f"{len(keys)} keys")
        for key in keys:
            bucket.objects.pop(key, None)
        told = "" if text_of(tree, "Quiet") == "true" else "".join(f"<Deleted><Key>{escape(k)}</Key></Deleted>" for k in keys)
        return 200, {}, f'<DeleteResult xmlns="{NAMESPACE}">{told}</DeleteResult>'

    # ---- lists

    def shown(self, key):
        return escape(urllib.parse.quote(key, safe="/-_.~*") if self.query.get("encoding-type") == "url" else key)

    def list(self, bucket, _):
        if self.query["list-type"] != "2":
            raise Refusal(501, "NotImplemented", "the first form of lists")
        size = min(int(self.query.get("max-keys", 1000)), 1000)
        after = self.query.get("continuation-token")
        if after is not None:
            try:
                after = base64.b64decode(after, validate=True).decode()
            except ValueError as error:
                raise Refusal(400, "InvalidArgument", "The continuation token provided is incorrect") from error
        keys = sorted((k for k in bucket.objects if k.startswith(self.query["prefix"]) and (after is None or k > after)),
                      key=str.encode)
        page, more = keys[:size], len(keys) > size
        inside = "".join(f"<Contents><Key>{self.shown(k)}</Key><Size>{len(bucket.objects[k])}</Size></Contents>" for k in page)
        next_page = (f"<NextContinuationToken>{base64.b64encode(page[-1].encode()).decode()}</NextContinuationToken>" if more else "")
        return 200, {}, (f'<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="{NAMESPACE}">{inside}'
                         f"<IsTruncated>{str(more).lower()}</IsTruncated>{next_page}</ListBucketResult>")

    def list_uploads(self, bucket, _):
        marker = (self.query.get("key-marker", ""), self.query.get("upload-id-marker", ""))
        found = sorted((one.key, name) for name, one in bucket.uploads.items()
                       if one.key.startswith(self.query.get("prefix", "")) and (one.key, name) > marker)
        page, more = found[:1000], len(found) > 1000
        inside = "".join(f"<Upload><Key>{self.shown(k)}</Key><UploadId>{i}</UploadId></Upload>" for k, i in page)
        end = f"<NextKeyMarker>{self.shown(page[-1][0])}</NextKeyMarker><NextUploadIdMarker>{page[-1][1]}</NextUploadIdMarker>" if more else ""
        return 200, {}, (f'<ListMultipartUploadsResult xmlns="{NAMESPACE}">{inside}<IsTruncated>{str(more).lower()}</IsTruncated>{end}'
                         "</ListMultipartUploadsResult>")

    # ---- objects in parts

    def create(self, bucket, key):
        whole = self.headers.get("x-amz-checksum-type") == "FULL_OBJECT"
        if whole and self.headers.get("x-amz-checksum-algorithm") != "CRC32C":
            raise Refusal(400, "InvalidRequest", "a checksum's type without its algorithm")
        name = uuid.uuid4().hex
        bucket.uploads[name] = Upload(key, whole)
        return 200, {}, (f'<InitiateMultipartUploadResult xmlns="{NAMESPACE}"><Key>{escape(key)}</Key><UploadId>{name}</UploadId>'
                         "</InitiateMultipartUploadResult>")

    def upload(self, bucket, key):
        one = bucket.uploads.get(self.query["uploadId"])
        if one is None or one.key != key:
            raise Refusal(404, "NoSuchUpload", "The specified multipart upload does not exist.")
        return one

    def put_part(self, bucket, key):
        one, number = self.upload(bucket, key), int(self.query["partNumber"])
        if not 1 <= number <= 10_000:
            raise Refusal(400, "InvalidArgument", "a part's number")
        if one.whole and "x-amz-checksum-crc32c" not in self.headers:
            raise Refusal(400, "InvalidRequest", "a part without a checksum")
        tag = f'"{hashlib.md5(self.body).hexdigest()}"'
        one.parts[number] = (self.body, tag, crc32c(self.body))
        return 200, {"ETag": tag, "x-amz-checksum-crc32c": one.parts[number][2]}, b""

    def complete(self, bucket, key):
        one = self.upload(bucket, key)
        told = [(int(text_of(each, "PartNumber")), text_of(each, "ETag"), text_of(each, "ChecksumCRC32C"))
                for each in parse(self.body, "CompleteMultipartUpload") if local(each) == "Part"]
        if not told:
            raise Refusal(400, "MalformedXML", "no parts")
        if [n for n, *_ in told] != sorted({n for n, *_ in told}):
            raise Refusal(400, "InvalidPartOrder")
        for number, tag, checksum in told:
            if number not in one.parts or tag != one.parts[number][1] or checksum != one.parts[number][2]:
                raise Refusal(400, "InvalidPart", f"part {number} is another one")
        if any(len(one.parts[n][0]) < PART_MIN for n, *_ in told[:-1]):
            raise Refusal(400, "EntityTooSmall", "a part is below 5 MiB")
        body = b"".join(one.parts[n][0] for n, *_ in told)
        if one.whole and self.headers.get("x-amz-checksum-crc32c") != crc32c(body):
            raise Refusal(400, "BadDigest", "the checksum of the whole")
        del bucket.uploads[self.query["uploadId"]]
        bucket.objects[key], bucket.checksums[key] = body, crc32c(body)
        return 200, {}, (f'<?xml version="1.0" encoding="UTF-8"?>\n  <CompleteMultipartUploadResult xmlns="{NAMESPACE}">'
                         f"<Key>{escape(key)}</Key></CompleteMultipartUploadResult>")

    def abort(self, bucket, key):
        self.upload(bucket, key)
        del bucket.uploads[self.query["uploadId"]]
        return 204, {}, b""

    # ---- lifecycle

    def get_lifecycle(self, bucket, _):
        if bucket.lifecycle is None:
            raise Refusal(404, "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")
        return 200, {}, bucket.lifecycle

    def put_lifecycle(self, bucket, _):
        self.needs_checksum()
        names = set()
        for rule in parse(self.body, "LifecycleConfiguration"):
            parts = {local(each) for each in rule}
            if local(rule) != "Rule" or not parts & ACTIONS or text_of(rule, "Status") not in ("Enabled", "Disabled") \
                    or len(parts & {"Filter", "Prefix"}) != 1 or text_of(rule, "ID") in names:
                raise Refusal(400, "MalformedXML", "a rule")
            names.add(text_of(rule, "ID"))
        bucket.lifecycle = self.body
        return 200, {}, b""

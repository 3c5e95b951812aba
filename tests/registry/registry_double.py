"""A strict schema registry for tests, over HTTP, with both faces: Confluent's REST interface, and the part of AWS Glue's that concerns schemas.

Compatibility is decided by Apache's own reader/writer check (PyPI avro), not by the code under test. Every request is counted by its path or
action. It may ask for a login, and may be made to fail. What it does not do: soft deletes, modes, other schema types, normalization, Glue's
PENDING, rights of IAM (a signature has to be there, and is not computed anew).
"""
import base64
import collections
import json
import re
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import avro.compatibility
import avro.schema


def readable(reader, writer):
    checker = avro.compatibility.ReaderWriterCompatibilityChecker()
    verdict = checker.get_compatibility(reader=avro.schema.parse(reader), writer=avro.schema.parse(writer))
    return verdict.compatibility == avro.compatibility.SchemaCompatibilityType.compatible


def fits(level, before, text):
    """`before`: definitions, oldest first."""
    everything = level.endswith(("_TRANSITIVE", "_ALL"))
    for old in before if everything else before[-1:]:
        if level.startswith(("BACKWARD", "FULL")) and not readable(text, old):
            return False
        if level.startswith(("FORWARD", "FULL")) and not readable(old, text):
            return False
    return True


class RegistryDouble:
    def __init__(self, login=None, level="BACKWARD"):
        self.login, self.level = login, level  # login: "user:password", or "token"
        self.definitions = {}  # id -> (text, guid, references, type)
        self.subjects = collections.defaultdict(list)  # name -> ids
        self.glue_schemas = {}  # (registry, name) -> {"compatibility", "versions": [uuid]}
        self.glue_versions = {}  # uuid -> (text, registry, name, number, format)
        self.asked = collections.Counter()
        self.away = False
        self.lock = threading.Lock()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    # ---- what tests do directly

    def put(self, subject, text, references=(), kind="AVRO"):
        for number, known in self.definitions.items():
            if known[0] == text and known[3] == kind:
                break
        else:
            number = len(self.definitions) + 1
            self.definitions[number] = (text, str(uuid.uuid5(uuid.NAMESPACE_URL, text)), list(references), kind)
        if number not in self.subjects[subject]:
            self.subjects[subject].append(number)
        return number

    # ---- Confluent's face

    def shown(self, subject, number):
        text, guid, references, kind = self.definitions[number]
        found = {"subject": subject, "id": number, "guid": guid, "version": self.subjects[subject].index(number) + 1, "schema": text}
        if references:
            found["references"] = references
        return found if kind == "AVRO" else found | {"schemaType": kind}

    def same(self, subject, text):
        for number in self.subjects.get(subject, []):
            if json.loads(self.definitions[number][0]) == json.loads(text):
                return number
        return None

    def confluent(self, method, path, body):
        if found := re.fullmatch(r"/schemas/ids/(\d+)", path):
            return self.definition(int(found[1]))
        if found := re.fullmatch(r"/schemas/guids/([0-9a-f-]+)", path):
            return self.definition(next((n for n, known in self.definitions.items() if known[1] == found[1]), None))
        if found := re.fullmatch(r"/config(/.*)?", path):
            return 200, {"compatibilityLevel": self.level}
        found = re.fullmatch(r"/subjects/([^/]+)(/versions(?:/(\w+))?)?", path)
        if not found:
            return 404, None
        subject = found[1]
        if method == "GET":
            numbers = self.subjects.get(subject)
            if not numbers:
                return 404, {"error_code": 40401, "message": f"Subject '{subject}' not found."}
            if found[3] is None:
                return 200, list(range(1, len(numbers) + 1))
            at = len(numbers) if found[3] == "latest" else int(found[3])
            if not 0 < at <= len(numbers):
                return 404, {"error_code": 40402, "message": f"Version {at} not found."}
            return 200, self.shown(subject, numbers[at - 1])
        return self.enroll(subject, body, register=found[2] is not None)

    def definition(self, number):
        if number not in self.definitions:
            return 404, {"error_code": 40403, "message": f"Schema {number} not found"}
        text, guid, references, kind = self.definitions[number]
        found = {"schema": text, "guid": guid}
        if references:
            found["references"] = references
        return 200, found if kind == "AVRO" else found | {"schemaType": kind}

    def enroll(self, subject, body, register):
        text = body["schema"]
        try:
            avro.schema.parse(text)
        except Exception as wrong:  # its parser raises many kinds
            return 422, {"error_code": 42201, "message": f"Invalid schema: {wrong}"}
        number = self.same(subject, text)
        if not register and number is None:
            return 404, {"error_code": 40403, "message": "Schema not found"}
        if number is None:
            before = [self.definitions[n][0] for n in self.subjects.get(subject, [])]
            if not fits(self.level, before, text):
                return 409, {"error_code": 409, "message": f"Schema being registered is incompatible with an earlier schema for subject \"{subject}\""}
            number = self.put(subject, text)
        return 200, {"id": number, "guid": self.definitions[number][1]} if register else self.shown(subject, number)

    # ---- Glue's face

    def glue(self, action, body):
        def missing(what):
            return 400, {"__type": "EntityNotFoundException", "Message": f"{what} is not found."}

        version = self.glue_versions.get(body.get("SchemaVersionId", ""))
        name = body.get("SchemaId") or {"RegistryName": body.get("RegistryId", {}).get("RegistryName"), "SchemaName": body.get("SchemaName")}
        key = (name.get("RegistryName"), name.get("SchemaName"))
        schema = self.glue_schemas.get(key)
        if action == "GetSchemaVersion" and "SchemaVersionId" in body:
            return self.glue_version(body["SchemaVersionId"]) if version else missing("Schema version")
        if action == "CreateSchema":
            if schema is not None:
                return 400, {"__type": "AlreadyExistsException", "Message": "Schema already exists."}
            self.glue_schemas[key] = {"compatibility": body["Compatibility"], "versions": []}
            made = self.add_version(key, body["SchemaDefinition"], body["DataFormat"])
            return 200, {"SchemaName": key[1], "RegistryName": key[0], "Compatibility": body["Compatibility"], "SchemaVersionId": made,
                         "SchemaVersionStatus": "AVAILABLE", "DataFormat": body["DataFormat"]}
        if schema is None:
            return missing("Schema")
        if action == "GetSchema":
            return 200, {"SchemaName": key[1], "RegistryName": key[0], "Compatibility": schema["compatibility"],
                         "LatestSchemaVersion": len(schema["versions"])}
        if action == "GetSchemaVersion":
            return self.glue_version(schema["versions"][body["SchemaVersionNumber"]["VersionNumber"] - 1])
        known = next((v for v in schema["versions"] if json.loads(self.glue_versions[v][0]) == json.loads(body["SchemaDefinition"])), None)
        if action == "GetSchemaByDefinition":
            return self.glue_version(known) if known else missing("Schema version")
        if action == "RegisterSchemaVersion":
            before = [self.glue_versions[v][0] for v in schema["versions"]]
            if known is None and not fits(schema["compatibility"], before, body["SchemaDefinition"]):
                return 200, {"SchemaVersionId": str(uuid.uuid4()), "VersionNumber": len(before) + 1, "Status": "FAILURE"}
            known = known or self.add_version(key, body["SchemaDefinition"], "AVRO")
            return 200, {"SchemaVersionId": known, "VersionNumber": schema["versions"].index(known) + 1, "Status": "AVAILABLE"}
        return 400, {"__type": "InvalidInputException", "Message": f"no such action {action}"}

    def add_version(self, key, text, kind):
        made = str(uuid.uuid4())
        versions = self.glue_schemas[key]["versions"]
        versions.append(made)
        self.glue_versions[made] = (text, *key, len(versions), kind)
        return made

    def glue_version(self, version):
        text, registry, name, number, kind = self.glue_versions[version]
        return 200, {"SchemaVersionId": version, "SchemaDefinition": text, "DataFormat": kind, "VersionNumber": number, "Status": "AVAILABLE",
                     "SchemaArn": f"arn:aws:glue:eu-north-1:1:schema/{registry}/{name}"}

    # ---- HTTP

    def may(self, headers):
        given = headers.get("Authorization", "")
        if headers.get("X-Amz-Target"):
            return given.startswith("AWS4-HMAC-SHA256 Credential=") and "/glue/aws4_request" in given
        if self.login is None:
            return True
        kind, _, word = given.partition(" ")
        return word == self.login if kind == "Bearer" else base64.b64decode(word or "").decode() == self.login

    def handler(registry):  # noqa: N805: `self` is the handler's below
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # an answer is one packet

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                target = self.headers.get("X-Amz-Target", "")
                path = self.path.partition("?")[0]
                with registry.lock:
                    registry.asked[target.removeprefix("AWSGlue.") or f"{self.command} {path}"] += 1
                    if registry.away:
                        status, said = 503, {"error_code": 50003, "message": "away"}
                    elif not registry.may(self.headers):
                        status, said = 401, {"error_code": 40101, "message": "Unauthorized"}
                    elif target:
                        status, said = registry.glue(target.removeprefix("AWSGlue."), json.loads(body))
                    else:
                        status, said = registry.confluent(self.command, path, json.loads(body) if body else None)
                text = b"<html>nothing here</html>" if said is None else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def log_message(self, *_):
                pass

        return Handler

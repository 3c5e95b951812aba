"""Doubles of what Redshift offers over HTTPS: logins for a while (clusters and Serverless), and the Data API.

Signatures are verified; parameters are held against botocore's models of the services: what a model does not know is refused, what it
requires has to be there. One address for all, told apart by the service that a request was signed for.

Cuts         `cut = [after, done]`: the request after so many more of the Data API's loses its connection, before it is carried out or after.
             `away`: every request does.
Logins       `tell(user, password, seconds)` is told each one, so that a double of the database can take it; `good_for` is what the
             answer says, `ends_after` when it really ends.
Data API     `execute(sqls) -> [(rows, is_result), …]` runs a batch as one transaction or raises DatabaseError; rows are lists of cells
             (None, bool, int, float, str) or a count. A run is SUBMITTED and STARTED for as many looks as `looks` says. The same ClientToken
             is the same run, with other statements it is refused.

A batch that fails tells which statement it was, both in its error ("Query #2 failed with …") and by the statement's own.

Not here: Secrets Manager, sessions that are kept, results as CSV, listing of statements, policies, AUTO_COMMIT.

Thread      a thread for each connection; `execute` is called by one at a time.
"""
import datetime
import http.server
import json
import re
import threading
import urllib.parse
import uuid

import botocore.session
from aws_signed import Refusal, Server, check_signature

MODELS = {name: botocore.session.get_session().get_service_model(name) for name in ("redshift", "redshift-serverless", "redshift-data")}
STATEMENTS_MAX, STATEMENT_BYTES_MAX = 40, 100_000


class DatabaseError(Exception):
    """`number` is that of the statement, from 1; 0 where it was none of them."""

    def __init__(self, message, number=0):
        super().__init__(message)
        self.number = number


class Run:
    def __init__(self, sqls, looks):
        self.id, self.sqls, self.looks = str(uuid.uuid4()), sqls, looks
        self.status, self.error, self.results, self.failed = "SUBMITTED", None, [], 0

    def parts(self):
        """Of a batch: what became of each statement."""
        parts = [{"Id": f"{self.id}:{i + 1}", "Status": self.status} for i in range(len(self.sqls))]
        for part, (result, is_result) in zip(parts, self.results):
            part.update(HasResultSet=is_result, ResultRows=len(result) if is_result else result)
        if self.failed:
            for i, part in enumerate(parts, 1):
                part["Status"] = "FINISHED" if i < self.failed else "FAILED" if i == self.failed else "ABORTED"
            parts[self.failed - 1]["Error"] = self.error.partition(" failed with ")[2]
        return parts


class RedshiftHttp:
    """with RedshiftHttp(execute=…, tell=…) as aws: … aws.url …"""

    def __init__(self, execute=None, tell=None, region="eu-north-1", key_id="AKIDEXAMPLE0", secret="xxxxxxxxxxxxxxxx", good_for=900,
                 ends_after=900, looks=1, clusters=("main",), workgroups=("grp",), users=("loader",), database="energy"):
        self.execute, self.tell, self.region, self.keys = execute, tell or (lambda *_: None), region, {key_id: secret}
        self.good_for, self.ends_after, self.looks = good_for, ends_after, looks
        self.clusters, self.workgroups, self.users, self.database = clusters, workgroups, users, database
        self.logins, self.runs, self.tokens, self.lock = 0, {}, {}, threading.RLock()
        self.cut, self.away = None, False
        self.server = Server(("127.0.0.1", 0), type("Handler", (Handler,), {"aws": self}))
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    # ---- logins

    def login(self, user):
        with self.lock:
            self.logins += 1
        password = uuid.uuid4().hex + "+/&=<"
        self.tell(user, password, self.ends_after)
        return user, password, datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.good_for)

    def cluster_login(self, action, asked):
        if asked.get("ClusterIdentifier") not in self.clusters:
            raise Refusal(404, "ClusterNotFound", f"Cluster {asked.get('ClusterIdentifier')} not found.")
        if asked.get("DbName") not in (None, self.database):
            raise Refusal(403, "AccessDenied", f"no right on {asked['DbName']}")
        return self.login("IAM:" + asked["DbUser"] if action == "GetClusterCredentials" else "IAMR:role")

    # ---- the Data API

    def place(self, asked):
        if (asked.get("ClusterIdentifier") in self.clusters) == (asked.get("WorkgroupName") in self.workgroups):
            raise Refusal(400, "ValidationException", "a cluster or a workgroup")
        if asked.get("Database") != self.database:
            raise Refusal(400, "ValidationException", "the database is missing, or another one")

    def begin(self, asked, sqls):
        self.place(asked)
        if not 0 < len(sqls) <= STATEMENTS_MAX or any(not 0 < len(s.encode()) <= STATEMENT_BYTES_MAX for s in sqls):
            raise Refusal(400, "ValidationException", "statements above the limits")
        token = asked.get("ClientToken")
        with self.lock:
            if token in self.tokens:
                run = self.tokens[token]
                if run.sqls != sqls:
                    raise Refusal(400, "ValidationException", "the token was used for other statements")
                return run
            run = Run(sqls, self.looks)
            self.runs[run.id] = run
            if token is not None:
                self.tokens[token] = run
        return run

    def find(self, name):
        run_id, _, part = name.partition(":")
        if run_id not in self.runs:
            raise Refusal(400, "ResourceNotFoundException", "Query does not exist.")
        return self.runs[run_id], int(part or 1) - 1

    def advance(self, run):
        """Each look lets it go on."""
        if run.status in ("FINISHED", "FAILED", "ABORTED"):
            return
        if run.looks > 0:
            run.looks, run.status = run.looks - 1, "STARTED"
            return
        try:
            run.results = self.execute(run.sqls)
            run.status = "FINISHED"
        except DatabaseError as error:
            run.status, run.failed = "FAILED", error.number
            run.error = f"Query #{error.number} failed with {error}" if error.number and len(run.sqls) > 1 else str(error)

    def described(self, run):
        self.advance(run)
        told = {"Id": run.id, "Status": run.status, "HasResultSet": False, "ResultRows": -1}
        if run.error:
            told["Error"] = run.error
        parts = run.parts()
        if len(run.sqls) > 1:
            told["SubStatements"] = parts
        elif run.results:
            told.update({key: parts[0][key] for key in ("HasResultSet", "ResultRows")})
        return told

    def rows_of(self, asked):
        run, part = self.find(asked["Id"])
        if run.status != "FINISHED" or not run.results[part][1]:
            raise Refusal(400, "ResourceNotFoundException", "Query does not have result.")
        rows, at = run.results[part][0], int(asked.get("NextToken", 0))
        page = rows[at:at + 1000]
        more = {"NextToken": str(at + 1000)} if at + 1000 < len(rows) else {}
        return {"Records": [[cell(value) for value in row] for row in page], "ColumnMetadata": [], "TotalNumRows": len(rows), **more}

    def data(self, operation, asked):
        if operation == "ExecuteStatement":
            return {"Id": self.begin(asked, [asked["Sql"]]).id}
        if operation == "BatchExecuteStatement":
            return {"Id": self.begin(asked, asked["Sqls"]).id}
        with self.lock:
            if operation == "DescribeStatement":
                return self.described(self.find(asked["Id"])[0])
            if operation == "GetStatementResult":
                return self.rows_of(asked)
            run, _ = self.find(asked["Id"])
            if run.status in ("FINISHED", "FAILED", "ABORTED"):
                raise Refusal(400, "ValidationException", "Could not cancel a query that is already in FINISHED state")
            run.status = "ABORTED"
            return {"Status": True}


def cell(value):
    kinds = {bool: "booleanValue", int: "longValue", float: "doubleValue", str: "stringValue"}
    return {"isNull": True} if value is None else {kinds[type(value)]: value}


def check_parameters(service, operation, asked):
    model = MODELS[service]
    if operation not in model.operation_names:
        raise Refusal(400, "UnknownOperationException", operation)
    shape = model.operation_model(operation).input_shape
    unknown = set(asked) - set(shape.members)
    missing = set(shape.required_members) - set(asked)
    if unknown or missing:
        raise Refusal(400, "ValidationException", f"unknown {sorted(unknown)}, missing {sorted(missing)}")
    for name, value in asked.items():
        if shape.members[name].type_name == "string" and not isinstance(value, str):
            raise Refusal(400, "SerializationException", name)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    aws = None

    def log_message(self, *_):
        pass

    def lost(self):
        """Whether this one is, and if so whether it is carried out."""
        with self.aws.lock:
            if self.aws.cut is None:
                return self.aws.away, False
            self.aws.cut[0] -= 1
            if self.aws.cut[0] >= 0:
                return False, False
            done, self.aws.cut = self.aws.cut[1], None
            return True, done

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        said = re.search(r"/([a-z-]+)/aws4_request", self.headers.get("Authorization", ""))
        service = said[1] if said else "redshift"
        lost, done = self.lost() if service == "redshift-data" else (False, False)
        self.close_connection = self.close_connection or lost
        if lost and not done:
            return
        try:
            if service not in MODELS:
                raise Refusal(400, "InvalidSignatureException", f"no such service: {service}")
            check_signature(self, body, service, self.aws.region, self.aws.keys)
            status, kind, text = 200, *(self.query(body) if service == "redshift" else self.json(service, body))
        except Refusal as refusal:
            status, text = refusal.status, json.dumps({"__type": refusal.code, "Message": refusal.message})
            kind = "application/x-amz-json-1.1"
            if service == "redshift":
                kind, text = "text/xml", (f"<ErrorResponse><Error><Type>Sender</Type><Code>{refusal.code}</Code><Message>{refusal.message}"
                                          "</Message></Error></ErrorResponse>")
        if lost:
            return
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def query(self, body):
        asked = dict(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, strict_parsing=True))
        action, version = asked.pop("Action", ""), asked.pop("Version", "")
        if version != MODELS["redshift"].api_version or action not in ("GetClusterCredentials", "GetClusterCredentialsWithIAM"):
            raise Refusal(400, "InvalidAction", f"{action} of {version}")
        check_parameters("redshift", action, asked)
        user, password, until = self.aws.cluster_login(action, asked)
        shown = password.replace("&", "&amp;").replace("<", "&lt;")
        return "text/xml", (f'<{action}Response xmlns="http://redshift.amazonaws.com/doc/2012-12-01/"><{action}Result><DbUser>{user}</DbUser>'
                            f"<DbPassword>{shown}</DbPassword><Expiration>{until:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + f"Z</Expiration></{action}Result>"
                            f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>")

    def json(self, service, body):
        target = self.headers.get("X-Amz-Target", "")
        prefix, _, operation = target.partition(".")
        if prefix != MODELS[service].metadata["targetPrefix"] or self.headers.get("Content-Type") != "application/x-amz-json-1.1":
            raise Refusal(400, "UnknownOperationException", target)
        try:
            asked = json.loads(body)
        except ValueError as error:
            raise Refusal(400, "SerializationException", str(error)) from error
        check_parameters(service, operation, asked)
        kind = "application/x-amz-json-1.1"
        if service == "redshift-data":
            return kind, json.dumps(self.aws.data(operation, asked))
        if asked.get("workgroupName") not in self.aws.workgroups:
            raise Refusal(400, "ResourceNotFoundException", "no such workgroup")
        user, password, until = self.aws.login("IAMR:role")
        return kind, json.dumps({"dbUser": user, "dbPassword": password, "expiration": until.timestamp(), "nextRefreshTime": until.timestamp()})

"""Our clients of Redshift's logins and Data API against a double that verifies signatures and knows botocore's models; and boto3's beside."""
import os
import pathlib
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "kafka"), str(HERE.parent / "stores")]
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")

import boto3  # noqa: E402

from redshift_http import DatabaseError, RedshiftHttp  # noqa: E402

LOGIN = {"aws_access_key_id": "AKIDEXAMPLE0", "aws_secret_access_key": "xxxxxxxxxxxxxxxx", "region_name": "eu-north-1"}


class Database:
    """Runs batches of a language of three words."""

    def __init__(self):
        self.batches = []

    def execute(self, sqls):
        self.batches.append(sqls)
        if "FAIL" in sqls:
            raise DatabaseError("ERROR: 1023 DETAIL: Serializable isolation violation")
        return [([[None, True, -5, 0.5, f"x{i}"] for i in range(1_500)], True) if sql == "SELECT" else (7, False) for sql in sqls]


def ours(aws, *args):
    done = subprocess.run([os.environ["PENSTOCK_REDSHIFT_CASES"], args[0], aws.url, *args[1:]], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout.splitlines()


def logins():
    told = []
    with RedshiftHttp(tell=lambda *login: told.append(login)) as aws:
        for place, name, user, as_user in (("cluster", "main", "loader", "IAM:loader"), ("cluster", "main", "", "IAMR:role"),
                                           ("workgroup", "grp", "", "IAMR:role")):
            code, said = ours(aws, "login", place, name, "energy", user)
            assert (code, said[0], said[1]) == (0, as_user, told[-1][1]), (place, user, said)
            assert 880 < int(said[2]) / 1000 - time.time() <= 900, said
        theirs = boto3.client("redshift", endpoint_url=aws.url, **LOGIN).get_cluster_credentials(
            DbUser="loader", ClusterIdentifier="main", DbName="energy")
        assert (theirs["DbUser"], theirs["DbPassword"]) == told[-1][:2], "the double does not speak to boto3"
        theirs = boto3.client("redshift-serverless", endpoint_url=aws.url, **LOGIN).get_credentials(workgroupName="grp")
        assert (theirs["dbUser"], theirs["dbPassword"]) == told[-1][:2], "the double does not speak to boto3"
        for place, name, database, word in (("cluster", "other", "energy", "ClusterNotFound"), ("cluster", "main", "private", "W003"),
                                            ("workgroup", "other", "energy", "ResourceNotFoundException")):
            code, said = ours(aws, "login", place, name, database, "loader")
            assert code == 1 and word in said[0], said


def data():
    database = Database()
    with RedshiftHttp(execute=database.execute, looks=3) as aws:
        for place, name in (("cluster", "main"), ("workgroup", "grp")):
            code, said = ours(aws, "data", place, name, "energy", "loader", f"t-{place}", "COPY", "SELECT")
            assert (code, said[:3]) == (0, ["0 ", "7 false", "1500 true"]), said[:5]
            assert said[3] == 'null|"t"|"-5"|"0.5"|"x0"|' and said[-1].endswith('"x1499"|') and len(said) == 1503, said[3]
        before = len(database.batches)
        code, said = ours(aws, "data", "cluster", "main", "energy", "loader", "t-cluster", "COPY", "SELECT")
        assert code == 0 and len(database.batches) == before, "the same token ran twice"
        code, said = ours(aws, "data", "cluster", "main", "energy", "loader", "t-cluster", "COPY")
        assert code == 1 and "ValidationException" in said[0], said
        code, said = ours(aws, "data", "cluster", "main", "energy", "loader", "t-3", "COPY", "FAIL")
        assert code == 0 and said[0].startswith("1 ERROR: 1023"), said
        code, said = ours(aws, "data", "cluster", "main", "energy", "loader", "t-4", "SELECT")
        assert (code, said[1]) == (0, "1500 true"), said[:3]
        theirs = boto3.client("redshift-data", endpoint_url=aws.url, **LOGIN)
        run = theirs.execute_statement(ClusterIdentifier="main", Database="energy", DbUser="loader", Sql="SELECT", ClientToken="t-5")["Id"]
        while theirs.describe_statement(Id=run)["Status"] != "FINISHED":
            pass
        assert len(theirs.get_statement_result(Id=run)["Records"]) == 1000, "the double does not speak to boto3"


if __name__ == "__main__":
    logins()
    data()
    print("logins of clusters and workgroups, and the Data API, as AWS's models have them")

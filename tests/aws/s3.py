"""Our S3 client against a server that verifies signatures and checksums: the double, or a real MinIO (--minio)."""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "kafka"), str(HERE.parent / "stores")]
import venv_of_tests  # noqa: E402

venv_of_tests.enter(HERE / "requirements.txt")

import contextlib  # noqa: E402

import boto3  # noqa: E402
from botocore.config import Config  # noqa: E402

from s3_double import S3Double  # noqa: E402
from s3_proxy import S3Proxy  # noqa: E402

KEY, SECRET, REGION = "AKIDEXAMPLE0", "xxxxxxxxxxxxxxxx", "eu-north-1"


@contextlib.contextmanager
def server(minio):
    if not minio:
        with S3Double(REGION, KEY, SECRET) as s3:
            yield s3.url
        return
    yield os.environ["PENSTOCK_TEST_MINIO"]  # tools/with_minio


def main():
    with server("--minio" in sys.argv) as url, S3Proxy(url) as proxy:
        theirs = boto3.client("s3", endpoint_url=url, region_name=REGION, aws_access_key_id=KEY, aws_secret_access_key=SECRET,
                              config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}))
        theirs.create_bucket(Bucket="staging", CreateBucketConfiguration={"LocationConstraint": REGION})
        done = subprocess.run([os.environ["PENSTOCK_S3_CASES"], *[a for a in sys.argv[1:] if a != "--minio"]], check=False, timeout=280,
                              env={**os.environ, "PENSTOCK_TEST_S3": url, "PENSTOCK_TEST_S3_PROXY": proxy.url})
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())

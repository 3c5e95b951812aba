"""deploy/terraform: formatted; the modules that need no provider are valid and do as their tests say, on bundles that the binary has made
now, whole and broken."""
import copy
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from design import MODULES, ROOT, copied, terraform

EXAMPLES = {"article": "prod", "meters": "prod"}
PLACES = {"MSK_ARN": "arn:aws:kafka:eu-north-1:111122223333:cluster/c/1-2", "REDSHIFT_HOST": "warehouse.example"}


def bundle(example, target):
    done = subprocess.run([os.environ["PENSTOCK_BINARY"], "bundle", ROOT / "examples" / example / "pipeline.yaml", "-t", target],
                          capture_output=True, text=True, env=os.environ | PLACES, check=False)
    if done.returncode != 0:
        sys.exit(f"FAILED: penstock bundle {example}\n{done.stderr}")
    return done.stdout


def sealed(content):
    """With the digest of what it is now."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    text = json.dumps(rest, separators=(",", ":"))
    mark = hashlib.sha256(text.encode()).hexdigest()
    return text.replace('{"penstock_bundle":1,', f'{{"penstock_bundle":1,"sha256":"{mark}",', 1) + "\n"


def broken(text):
    """name -> a bundle that has to be refused."""
    def changed(change):
        content = copy.deepcopy(json.loads(text))
        change(content)
        return sealed(content)

    def one_more(stage, **changes):
        return lambda content: content["deploy"]["stages"].append(content["deploy"]["stages"][stage] | changes)

    return {
        "pipeline": '{"pipeline":"p","version":1}\n',
        "yaml": "pipeline: p\nversion: 1\n",
        "version": json.dumps(json.loads(text) | {"penstock_bundle": 2}),
        "changed": text.replace('"partitions":5', '"partitions":6', 1),
        "collision": changed(one_more(0, id="pre.processing")),
        "reserved": changed(one_more(0, id="apply", name="apply")),
        "pattern": changed(one_more(0, id="wild", name="wild", group="article.*")),
        "embedded": changed(lambda content: content["deploy"]["log"].update(kind="embedded")),
        "lone": changed(lambda content: content["environment"].append({"name": "LONE", "fallback": None})),
        "wide": changed(lambda content: content["deploy"]["stages"][0]["access"]["read"].extend(f"usage.tenant-{n}" for n in range(200))),
    }


def needs_no_provider(module):
    return not any(re.search(r'^(resource|data|provider) "', file.read_text(), re.M) for file in module.glob("*.tf"))


def main():
    terraform("fmt", "-check", "-diff", "-recursive", "-no-color", folder=MODULES.parent)
    print("ok   formatted")
    with tempfile.TemporaryDirectory() as name:
        modules = copied(pathlib.Path(name) / "terraform")
        bundles = modules.parent / "bundles"
        bundles.mkdir()
        made = {example: bundle(example, target) for example, target in EXAMPLES.items()}
        for example, text in (made | broken(made["article"])).items():
            (bundles / f"{example}.json").write_text(text)
        tested = 0
        for module in sorted(filter(needs_no_provider, modules.iterdir())):
            terraform("init", "-backend=false", "-no-color", folder=module)
            terraform("validate", "-no-color", folder=module)
            done = terraform("test", "-no-color", folder=module)
            passed = re.search(r"(\d+) passed, 0 failed", done.stdout)
            if not passed or int(passed[1]) == 0:
                sys.exit(f"FAILED: modules/{module.name} has no tests\n{done.stdout}")
            print(f"ok   modules/{module.name}: valid, {passed[1]} runs")
            tested += 1
        if tested < 3:
            sys.exit(f"FAILED: only {tested} modules need no provider")


if __name__ == "__main__":
    main()

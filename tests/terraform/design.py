"""What deploy/terraform makes of a bundle: runs the modules that need no provider, and reads their outputs."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ROOT / "deploy" / "terraform" / "modules"
TERRAFORM = ROOT / "tools" / "terraform"
SKIPPED = 77


def terraform(*words, folder, check=True):
    """In `folder`; nothing of the user's own settings."""
    environment = os.environ | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_CLI_CONFIG_FILE": os.devnull}
    done = subprocess.run([TERRAFORM, *words], cwd=folder, capture_output=True, text=True, env=environment, check=False)
    if done.returncode == SKIPPED:
        print(done.stderr, end="")
        sys.exit(SKIPPED)
    if check and done.returncode != 0:
        sys.exit(f"FAILED: terraform {' '.join(words)}\n{done.stdout}{done.stderr}")
    return done


def copied(folder):
    """The modules, where they may leave what they make; the repository stays as it is."""
    shutil.copytree(MODULES.parent, folder, ignore=shutil.ignore_patterns(".terraform*", "terraform.tfstate*"))
    return folder / "modules"


def outputs(folder, variables):
    """Of modules/design, with these variables; `folder` is new."""
    design = copied(folder) / "design"
    (design / "terraform.tfvars.json").write_text(json.dumps(variables))
    terraform("init", "-backend=false", "-no-color", folder=design)
    terraform("apply", "-auto-approve", "-no-color", folder=design)
    return {name: one["value"] for name, one in json.loads(terraform("output", "-json", folder=design).stdout).items()}

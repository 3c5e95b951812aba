"""Is a manifest one that Kubernetes takes? Each object against the schema of its kind, without a cluster; unknown fields are errors.

Core kinds: the schemas in kubernetes-validate. Kinds of keda.sh and monitoring.coreos.com: the definitions in the Go modules of KEDA and of the
Prometheus operator. What KEDA's schema leaves open, the metadata of a trigger, is looked up in KEDA's own list of its scalers.
"""
import functools
import json
import re

import jsonschema
import referencing
import yaml
from kubernetes_validate.utils import schema_contents

import programs_of_tests

KUBERNETES = "1.36.0"


def documents(text: str) -> list[dict]:
    return [document for document in yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if document]


def strict(schema):
    """A definition's schema, as the API server reads it when it validates strictly."""
    if not isinstance(schema, dict):
        return schema
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    out = {}
    for name, value in schema.items():
        if name == "properties":
            value = {key: strict(one) for key, one in value.items()}
        elif name in ("items", "additionalProperties", "not"):
            value = strict(value)
        elif name in ("anyOf", "allOf", "oneOf"):
            continue  # they repeat properties without their types, and would be strict about the rest
        out[name] = value
    if "properties" in out and "additionalProperties" not in out and not out.get("x-kubernetes-preserve-unknown-fields"):
        out["additionalProperties"] = False
    return out


def definition_documents() -> list[dict]:
    return [one for path in programs_of_tests.definition_files() for one in documents(path.read_text())]


@functools.cache
def definitions() -> dict[tuple[str, str], dict]:
    """The custom kinds: (apiVersion, kind) to schema."""
    found = {}
    for definition in definition_documents():
        spec = definition["spec"]
        for version in spec["versions"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


@functools.cache
def validator(api_version: str, kind: str) -> jsonschema.Draft202012Validator:
    custom = definitions().get((api_version, kind))
    if custom:
        return jsonschema.Draft202012Validator(custom)
    folder = f"kubernetes-json-schema/v{KUBERNETES}-local-strict"
    group = re.sub(r"^([^./]*)(\.[^/]*)?/", r"\1-", api_version)  # networking.k8s.io/v1: networking-v1
    schema = schema_contents(f"{folder}/{kind.lower()}-{group}.json", KUBERNETES)
    return jsonschema.Draft202012Validator(schema, registry=core_registry(folder))


@functools.cache
def core_registry(folder: str) -> referencing.Registry:
    return referencing.Resource.from_contents(schema_contents(f"{folder}/_definitions.json", KUBERNETES)) @ referencing.Registry()


@functools.cache
def scalers() -> dict[str, dict[str, dict]]:
    """KEDA's scalers: type to parameter to what is known about it."""
    path = programs_of_tests.keda() / "schema/generated/scalers-schema.json"
    return {scaler["type"]: {one["name"]: one for one in scaler["parameters"]} for scaler in json.loads(path.read_text())["scalers"]}


def trigger_problems(trigger: dict, parameters_given: set[str]) -> list[str]:
    kind = trigger["type"]
    known = scalers().get(kind)
    if known is None:
        return [f"KEDA has no trigger {kind}"]
    problems = []
    for name, value in trigger["metadata"].items():
        parameter = known.get(name)
        if not parameter or not parameter.get("metadataVariableReadable"):
            problems.append(f"trigger {kind}: no metadata {name}")
        elif not isinstance(value, str):
            problems.append(f"trigger {kind}: {name} is no string")
        elif parameter.get("allowedValue") and value not in parameter["allowedValue"]:
            problems.append(f"trigger {kind}: {name} can not be {value}")
    for name, parameter in known.items():
        needed = not parameter.get("optional") and "default" not in parameter
        if needed and name not in trigger["metadata"] and name not in parameters_given:
            problems.append(f"trigger {kind}: {name} is missing")
    return problems


def problems(document: dict, authentications: dict[str, dict] | None = None) -> list[str]:
    """What is wrong with an object, each with its place. authentications: specs of TriggerAuthentications by name."""
    found = []
    try:
        against = validator(document["apiVersion"], document["kind"])
    except FileNotFoundError:
        return [f"there is no kind {document['kind']} of {document['apiVersion']}"]
    for error in against.iter_errors(document):
        found.append(f"{'/'.join(map(str, error.path))}: {error.message[:300]}")
    for trigger in document["spec"]["triggers"] if document["kind"] == "ScaledObject" else []:
        reference = trigger.get("authenticationRef", {}).get("name")
        spec = (authentications or {}).get(reference)
        if reference and authentications is not None and spec is None:
            found.append(f"there is no TriggerAuthentication {reference}")
        given = {one["parameter"] for name in ("secretTargetRef", "configMapTargetRef") for one in (spec or {}).get(name, [])}
        found += trigger_problems(trigger, given)
        found += [f"trigger {trigger['type']}: no parameter {name} for a TriggerAuthentication" for name in given
                  if not scalers().get(trigger["type"], {}).get(name, {}).get("triggerAuthenticationVariableReadable")]
    name = document["metadata"].get("name", "")
    if not 0 < len(name) <= 63:
        found.append(f"its name has {len(name)} characters")
    return [f"{document['kind']}/{name}: {one}" for one in found]


def problems_of(all_documents: list[dict]) -> list[str]:
    authentications = {one["metadata"]["name"]: one["spec"] for one in all_documents if one["kind"] == "TriggerAuthentication"}
    found = []
    seen = set()
    for document in all_documents:
        key = document["kind"], document["metadata"].get("namespace"), document["metadata"]["name"]
        if key in seen:
            found.append(f"{document['kind']}/{document['metadata']['name']}: twice")
        seen.add(key)
        found += problems(document, authentications)
    return found

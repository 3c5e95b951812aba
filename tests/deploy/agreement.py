"""Do the manifests say what `penstock plan -o json` says? Found out from the plan and the manifests alone, not from the bundle."""
import re
import urllib.parse


class Manifests:
    def __init__(self, documents: list[dict]):
        self.all = documents

    def of(self, kind: str, name: str | None = None) -> list[dict]:
        return [one for one in self.all if one["kind"] == kind and name in (None, one["metadata"]["name"])]

    def stage_of(self, deployment: dict) -> str | None:
        words = container(deployment)["args"]
        return words[words.index("--stage") + 1] if words[0] == "run" else None


def container(workload: dict) -> dict:
    return workload["spec"]["template"]["spec"]["containers"][0]


def seconds(millis: int) -> int:
    return max(1, -(-millis // 1000))


def lag_triggers(plan: dict, stage: dict) -> list[dict]:
    auth = plan["log"]["settings"]["auth"]
    tls = {"tls": "enable"}
    login = {"none": {}, "tls": tls, "mtls": tls, "plain": tls | {"sasl": "plaintext"}, "scram": tls | {"sasl": "scram_sha512"},
             "oauthbearer": tls | {"sasl": "oauthbearer", "saslTokenProvider": "bearer"},
             "msk-iam": tls | {"sasl": "oauthbearer", "saslTokenProvider": "aws_msk_iam", "awsRegion": "eu-north-1"}}
    return [{"consumerGroup": stage["group"], "topic": topic, "lagThreshold": str(stage["scale"]["lag_threshold"]), "offsetResetPolicy": "earliest",
             "allowIdleConsumers": "false", "scaleToZeroOnInvalidOffset": "false", **login[auth]} for topic in stage["from"]]


def cloudwatch_triggers(plan: dict, stage: dict) -> list[dict]:
    cluster = plan["log"]["settings"]["msk"].split("/")[1]
    return [{"namespace": "AWS/Kafka", "metricName": "SumOffsetLag", "dimensionName": "Cluster Name;Consumer Group;Topic",
             "dimensionValue": f"{cluster};{stage['group']};{topic}", "targetMetricValue": str(stage["scale"]["lag_threshold"])}
            for topic in stage["from"]]


def need_triggers(plan: dict, stage: dict) -> list[dict]:
    return [{"valueLocation": "replicas", "targetValue": "1"}]


def scaling_problems(plan: dict, stage: dict, name: str, scaled: dict, scaling: str) -> list[str]:
    spec, scale = scaled["spec"], stage["scale"]
    partitions = sum(topic["partitions"] for topic in plan["topics"] if topic["name"] in stage["from"])
    most = min(scale["max"], partitions)
    wanted = {"pollingInterval": seconds(scale["poll_millis"]), "cooldownPeriod": seconds(scale["cooldown_millis"]),
              "minReplicaCount": min(scale["min"], most), "maxReplicaCount": most,
              "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}}
    found = [f"{field} is {spec.get(field)}, by the plan {value}" for field, value in wanted.items() if spec.get(field) != value]
    expected = {"lag": lag_triggers, "need": need_triggers, "cloudwatch": cloudwatch_triggers}[scaling](plan, stage)
    if len(spec["triggers"]) != len(expected):
        return found + [f"{len(spec['triggers'])} triggers instead of {len(expected)}"]
    kind = {"lag": "kafka", "need": "metrics-api", "cloudwatch": "aws-cloudwatch"}[scaling]
    for trigger, metadata in zip(spec["triggers"], expected):
        if trigger["type"] != kind:
            found.append(f"a trigger {trigger['type']} for scaling by {scaling}")
        found += [f"{field} is {trigger['metadata'].get(field)}, by the plan {value}" for field, value in metadata.items()
                  if trigger["metadata"].get(field) != value]
    if scaling == "need":
        url = urllib.parse.urlsplit(spec["triggers"][0]["metadata"]["url"])
        if urllib.parse.unquote(url.path) != f"/v1/stages/{stage['id']}":
            found.append(f"the scaler is asked for {url.path}")
        down = spec.get("advanced", {}).get("horizontalPodAutoscalerConfig", {}).get("behavior", {}).get("scaleDown", {})
        if (more := down.get("stabilizationWindowSeconds", 300)) > 60:
            found.append(f"the scaler has waited for a minute, and the autoscaler waits {more} s more")
    return found + sum_problems(spec, scale["lag_threshold"])


def sum_problems(spec: dict, threshold: int) -> list[str]:
    """The autoscaler takes the largest of several triggers, so they have to be summed."""
    modifiers = spec.get("advanced", {}).get("scalingModifiers")
    names = [trigger.get("name") for trigger in spec["triggers"]]
    if len(names) == 1:
        return ["one trigger, and a formula"] if modifiers else []
    if not modifiers:
        return [f"{len(names)} triggers are not summed"]
    found = []
    if None in names or len(set(names)) != len(names) or sorted(re.split(r" \+ ", modifiers["formula"])) != sorted(names):
        found.append(f"{modifiers['formula']} is not the sum of {names}")
    if modifiers["target"] != str(threshold) or modifiers["metricType"] != "AverageValue":
        found.append(f"the sum is compared with {modifiers['target']} by {modifiers['metricType']}")
    if any(trigger["metadata"].get("ensureEvenDistributionOfPartitions") == "true" for trigger in spec["triggers"]):
        found.append("rounded up to a divisor each, the sum is never zero")
    return found


def pod_problems(manifests: Manifests, workload: dict) -> list[str]:
    """What holds for each pod, whatever it runs."""
    found = []
    pod = workload["spec"]["template"]["spec"]
    one = container(workload)
    account = pod.get("serviceAccountName")
    if len(manifests.of("ServiceAccount", account)) != 1:
        found.append(f"there is no service account {account}")
    if pod.get("automountServiceAccountToken") is not False:
        found.append("the token of its service account is mounted")
    inner, outer = one.get("securityContext", {}), pod.get("securityContext", {})
    if not (outer.get("runAsNonRoot") and outer.get("runAsUser") and outer.get("seccompProfile", {}).get("type") == "RuntimeDefault"
            and inner.get("readOnlyRootFilesystem") and inner.get("allowPrivilegeEscalation") is False
            and inner.get("capabilities", {}).get("drop") == ["ALL"]):
        found.append("it is not restricted")
    if "--grace" in one["args"]:
        drain = int(one["args"][one["args"].index("--grace") + 1].removesuffix("s"))
        if pod["terminationGracePeriodSeconds"] <= drain:
            found.append(f"a drain of {drain} s in {pod['terminationGracePeriodSeconds']} s")
    mounted = {mount["name"]: mount for mount in one["volumeMounts"]}
    if set(mounted) != {volume["name"] for volume in pod["volumes"]} or len({mount["mountPath"] for mount in mounted.values()}) != len(mounted):
        found.append("volumes and mounts differ")
    for volume in pod["volumes"]:
        if "configMap" in volume and len(manifests.of("ConfigMap", volume["configMap"]["name"])) != 1:
            found.append(f"there is no ConfigMap {volume['configMap']['name']}")
        if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
            found.append(f"volume {volume['name']} has no limit")
    if "memory" not in one["resources"].get("limits", {}):
        found.append("its memory has no limit")
    return found


def selected(selector: dict, labels: dict) -> bool:
    return all(labels.get(name) == value for name, value in selector["matchLabels"].items())


def selection_problems(manifests: Manifests, deployment: dict, network: bool) -> list[str]:
    """Its disruption budget, network policy and selector mean its own pods, and nobody else's."""
    found = []
    name = deployment["metadata"]["name"]
    pods = {one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"] for kind in ("Deployment", "Job") for one in manifests.of(kind)}
    choices = [("selector", deployment["spec"]["selector"])]
    choices += [("disruption budget", one["spec"]["selector"]) for one in manifests.of("PodDisruptionBudget", name)]
    policies = manifests.of("NetworkPolicy", name)
    choices += [("network policy", one["spec"]["podSelector"]) for one in policies]
    if network and len(policies) != 1:
        found.append("no network policy")
    for what, selector in choices:
        meant = [workload for workload, labels in pods.items() if selected(selector, labels)]
        if meant != [name]:
            found.append(f"its {what} means {meant}")
    return found


def reached_ports(policy: dict) -> set[int]:
    rules = policy["spec"]["egress"]
    return {0} if any("ports" not in rule for rule in rules) else {port["port"] for rule in rules for port in rule["ports"]}


def needed_ports(plan: dict, stage: dict) -> set[int]:
    """Of the brokers that KEDA is told too, of the stage's own store, of AWS where it is used."""
    usual = {"postgres": {5432}, "redshift": {5439}, "dynamodb": set()}
    store = next((one for one in plan["stores"] if one["name"] == stage["to_store"]), None)
    ports = {53} | {int(one.rsplit(":", 1)[1]) for one in plan["brokers"].split(",")}
    if store:
        ports |= {int(store["settings"]["port"])} if "port" in store["settings"] else usual[store["kind"]]
    if plan["log"]["kind"] == "msk" or store and store["kind"] in ("dynamodb", "redshift"):
        ports |= {443, 80}  # 80: of EKS Pod Identity, one address
    return ports


def stage_problems(plan: dict, stage: dict, manifests: Manifests, deployment: dict, scaling: str) -> list[str]:
    name = deployment["metadata"]["name"]
    scaled = [one for one in manifests.of("ScaledObject") if one["spec"]["scaleTargetRef"]["name"] == name]
    found = [] if len(scaled) == 1 else [f"{len(scaled)} ScaledObjects"]
    found += [problem for one in scaled for problem in scaling_problems(plan, stage, name, one, scaling)]
    if "replicas" in deployment["spec"]:
        found.append("its Deployment has replicas: the autoscaler's figure would be lost with each upgrade")
    if len(manifests.of("PodDisruptionBudget", name)) != 1:
        found.append("no disruption budget")
    words = container(deployment)["args"]
    if words[words.index("-t") + 1] != plan["target"]:
        found.append(f"it runs target {words[words.index('-t') + 1]}")
    if not {"startupProbe", "readinessProbe", "livenessProbe"} <= container(deployment).keys():
        found.append("a probe is missing")
    return found + [f"it may reach the ports {reached_ports(policy)}, and needs {needed_ports(plan, stage)}"
                    for policy in manifests.of("NetworkPolicy", name) if reached_ports(policy) != needed_ports(plan, stage)]


def problems(plan: dict, documents: list[dict], scaling: str, bundle_text: str, network: bool = True) -> list[str]:
    manifests = Manifests(documents)
    found = []
    by_stage = {}
    for deployment in manifests.of("Deployment"):
        by_stage.setdefault(manifests.stage_of(deployment), []).append(deployment)
    if set(by_stage) - {None} != {stage["id"] for stage in plan["stages"]}:
        found.append(f"Deployments for {sorted(set(by_stage) - {None})}, by the plan {[stage['id'] for stage in plan['stages']]}")
    if len(manifests.of("ScaledObject")) != len(plan["stages"]):
        found.append(f"{len(manifests.of('ScaledObject'))} ScaledObjects for {len(plan['stages'])} stages")
    for stage in plan["stages"]:
        deployments = by_stage.get(stage["id"], [])
        mine = [f"{len(deployments)} Deployments"] if len(deployments) != 1 else []
        for deployment in deployments:
            mine += stage_problems(plan, stage, manifests, deployment, scaling) + selection_problems(manifests, deployment, network)
        found += [f"{stage['id']}: {problem}" for problem in mine]
    for workload in manifests.of("Deployment") + manifests.of("Job"):
        found += [f"{workload['metadata']['name']}: {problem}" for problem in pod_problems(manifests, workload)]
    found += bundle_problems(manifests, bundle_text) + order_problems(manifests)
    return found


def bundle_problems(manifests: Manifests, bundle_text: str) -> list[str]:
    maps = [one for one in manifests.of("ConfigMap") if "bundle.json" in one["data"]]
    found = [f"{one['metadata']['name']} can be changed under running pods" for one in maps if not one.get("immutable")]
    return found + [f"{one['metadata']['name']} holds another bundle" for one in maps if one["data"]["bundle.json"] != bundle_text]


def order_problems(manifests: Manifests) -> list[str]:
    """Topics are made before the scalers look: a hook, and what it needs comes before it."""
    def weight(one: dict) -> int:
        annotations = one["metadata"].get("annotations", {})
        if annotations.get("helm.sh/hook") != "pre-install,pre-upgrade" or annotations.get("argocd.argoproj.io/hook") != "PreSync":
            return 0  # with everything else
        if annotations["helm.sh/hook-weight"] != annotations["argocd.argoproj.io/sync-wave"]:
            return 0
        return int(annotations["helm.sh/hook-weight"])

    found = []
    for job in manifests.of("Job"):
        pod = job["spec"]["template"]["spec"]
        needs = manifests.of("ServiceAccount", pod["serviceAccountName"]) + manifests.of("NetworkPolicy", pod["serviceAccountName"])
        needs += [one for volume in pod["volumes"] if "configMap" in volume for one in manifests.of("ConfigMap", volume["configMap"]["name"])]
        if weight(job) >= 0 or any(weight(one) >= weight(job) for one in needs):
            found.append(f"{job['metadata']['name']} may start before what it needs, or after what needs it")
    return found

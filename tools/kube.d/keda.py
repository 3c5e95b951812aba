"""KEDA's operator and metrics adapter as processes, with the rights of their own service account."""
import base64
import pathlib
import socket
import sys

from cluster import ADDRESS, Cluster
import programs

MANIFESTS = ("service_account/service_account.yaml", "rbac/role.yaml", "rbac/role_binding.yaml", "metrics-server/role.yaml",
             "metrics-server/role_binding.yaml")

# The API server reaches the adapter through a service whose one endpoint is this machine.
ADAPTER = """apiVersion: v1
kind: Service
metadata: {{name: keda-metrics-apiserver, namespace: keda}}
spec: {{ports: [{{name: https, port: 443, targetPort: 6444}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: keda-metrics-apiserver-1, namespace: keda, labels: {{kubernetes.io/service-name: keda-metrics-apiserver}}}}
addressType: IPv4
ports: [{{name: https, port: 6444, protocol: TCP}}]
endpoints: [{{addresses: [{address}], conditions: {{ready: true}}}}]
---
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {{name: v1beta1.external.metrics.k8s.io}}
spec:
  service: {{name: keda-metrics-apiserver, namespace: keda}}
  group: external.metrics.k8s.io
  version: v1beta1
  groupPriorityMinimum: 100
  versionPriority: 100
  caBundle: {authority}
"""


def make_objects(cluster: Cluster) -> None:
    manifests = programs.keda_manifests()
    cluster.kubectl("apply", "--server-side", "-f", f"{manifests}/crd/bases")
    cluster.kubectl("create", "namespace", "keda")
    cluster.kubectl("apply", *(word for name in MANIFESTS for word in ("-f", f"{manifests}/{name}")))
    authority = base64.b64encode((cluster.keys / "ca.crt").read_bytes()).decode()
    cluster.kubectl("apply", "-f", "-", given=ADAPTER.format(address=ADDRESS, authority=authority))


# So that KEDA finds services by name, as in a pod: another resolv.conf, for this process only.
WITH_NAMES = ["unshare", "--mount", "sh", "-c", 'mount --bind "$0" /etc/resolv.conf && exec "$@"']


def start(cluster: Cluster) -> None:
    names = cluster.etc / "resolv.conf"
    names.write_text(f"nameserver {ADDRESS}\nsearch cluster.local\noptions ndots:5\n")
    cluster.start("names", sys.executable, "-B", pathlib.Path(__file__).with_name("names.py"), cluster.folder)
    make_objects(cluster)
    token = cluster.kubectl("--namespace=keda", "create", "token", "keda-operator", "--duration=24h").strip()
    config = cluster.kubeconfig("keda", f"{{token: {token}}}")
    keys = cluster.keys / "keda"
    told = {"KUBECONFIG": str(config), "POD_NAMESPACE": "keda", "KEDA_CLUSTER_OBJECT_NAMESPACE": "keda", "WATCH_NAMESPACE": "",
            "KEDA_HTTP_DEFAULT_TIMEOUT": "3000"}
    cluster.start("keda-operator", *WITH_NAMES, names, programs.path("keda-operator"), "--zap-log-level=info", "--zap-encoder=console",
                  f"--metrics-bind-address={ADDRESS}:8080", f"--health-probe-bind-address={ADDRESS}:8081",
                  f"--metrics-service-bind-address={ADDRESS}:9666", f"--cert-dir={keys}", "--enable-cert-rotation=false", environment=told)
    cluster.wait_for("KEDA's operator listens", "keda-operator", lambda: listening(9666))
    cluster.start("keda-adapter", programs.path("keda-adapter"), f"--bind-address={ADDRESS}", "--secure-port=6444", "--port=0",
                  f"--metrics-service-address={ADDRESS}:9666", f"--client-ca-file={keys}/ca.crt", f"--tls-cert-file={keys}/tls.crt",
                  f"--tls-private-key-file={keys}/tls.key", f"--cert-dir={keys}", f"--lister-kubeconfig={config}",
                  f"--authentication-kubeconfig={config}", f"--authorization-kubeconfig={config}", "--zap-log-level=info", environment=told)
    cluster.wait_for("external metrics are served", "keda-adapter", lambda: cluster.condition(
        "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.external.metrics.k8s.io", "Available"))


def listening(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex((ADDRESS, port)) == 0

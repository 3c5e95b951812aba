"""The control plane: etcd, the API server, the controllers, the scheduler."""
from cluster import ADDRESS, SERVICES, Cluster, free_port
import programs


def start_etcd(cluster: Cluster) -> None:
    peers = f"http://127.0.0.1:{free_port()}"
    cluster.start("etcd", programs.path("etcd"), "--data-dir", cluster.folder / "etcd", "--unsafe-no-fsync", "--logger=zap", "--log-level=warn",
                  "--listen-client-urls", cluster.etcd, "--advertise-client-urls", cluster.etcd,
                  "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}")


def start_server(cluster: Cluster) -> None:
    keys = cluster.keys
    cluster.start(
        "apiserver", programs.path("kube-apiserver"), f"--etcd-servers={cluster.etcd}", f"--bind-address={ADDRESS}",
        f"--advertise-address={ADDRESS}", "--secure-port=6443", f"--service-cluster-ip-range={SERVICES}", "--allow-privileged=true",
        "--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction",
        f"--tls-cert-file={keys}/apiserver.crt", f"--tls-private-key-file={keys}/apiserver.key", f"--client-ca-file={keys}/ca.crt",
        f"--kubelet-client-certificate={keys}/admin.crt", f"--kubelet-client-key={keys}/admin.key",
        f"--kubelet-certificate-authority={keys}/ca.crt", "--kubelet-preferred-address-types=InternalIP",
        f"--service-account-key-file={keys}/accounts.pub", f"--service-account-signing-key-file={keys}/accounts.key",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--requestheader-client-ca-file={keys}/front.crt", "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-", "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-username-headers=X-Remote-User", f"--proxy-client-cert-file={keys}/front-proxy.crt",
        f"--proxy-client-key-file={keys}/front-proxy.key", "--enable-aggregator-routing=true")
    cluster.wait_for("the API server is ready", "apiserver", lambda: cluster.get("/readyz") == "ok")


def start_controllers(cluster: Cluster, sync_seconds: int) -> None:
    """sync_seconds: how often the horizontal autoscaler looks (15 by default in a cluster)."""
    keys, config = cluster.keys, cluster.kubeconfig("controllers", "controllers")
    cluster.start(
        "controllers", programs.path("kube-controller-manager"), f"--kubeconfig={config}", f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}", "--secure-port=0", "--leader-elect=false", "--use-service-account-credentials=true",
        f"--service-account-private-key-file={keys}/accounts.key", f"--root-ca-file={keys}/ca.crt",
        f"--cluster-signing-cert-file={keys}/ca.crt", f"--cluster-signing-key-file={keys}/ca.key",
        f"--horizontal-pod-autoscaler-sync-period={sync_seconds}s")
    config = cluster.kubeconfig("scheduler", "scheduler")
    cluster.start("scheduler", programs.path("kube-scheduler"), f"--kubeconfig={config}", f"--authentication-kubeconfig={config}",
                  f"--authorization-kubeconfig={config}", "--secure-port=0", "--leader-elect=false")
    cluster.wait_for("the controllers work", "controllers", lambda: cluster.get("/api/v1/namespaces/default/serviceaccounts/default"))


def start(cluster: Cluster, sync_seconds: int) -> None:
    start_etcd(cluster)
    cluster.kubeconfig("admin", "admin")
    start_server(cluster)
    start_controllers(cluster, sync_seconds)

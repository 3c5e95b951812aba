"""This machine as a node: the bridge, containerd, the kubelet, kube-proxy; and how every trace of it goes."""
import glob
import os
import pathlib
import signal
import subprocess

from cluster import ADDRESS, BRIDGE, PODS, Cluster, Failed, wait
import programs

PAUSE = "registry.example/pause:1"
PROGRAMS = ("containerd", "runc", "ctr", "iptables", "conntrack", "ip", "mount")
# What the kubelet and kube-proxy set for the whole machine.
SYSCTLS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "net/ipv4/ip_forward")

NETWORK = """{{"cniVersion": "0.4.0", "name": "penstock", "plugins": [
 {{"type": "bridge", "bridge": "{bridge}", "isGateway": true, "ipMasq": false, "hairpinMode": true,
  "ipam": {{"type": "host-local", "dataDir": "{folder}/addresses",
   "ranges": [[{{"subnet": "{pods}", "rangeStart": "10.244.0.10", "gateway": "{address}"}}]], "routes": [{{"dst": "0.0.0.0/0"}}]}}}}]}}
"""

# Of Debian's containerd 1.6; a kubelet of 1.37 wants containerd 2.
CONTAINERD = """version = 2
root = "{folder}/containerd"
state = "{folder}/containerd-state"
[grpc]
  address = "{folder}/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{pause}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  stream_server_address = "{address}"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/etc/cni"
"""

KUBELET = """apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: {address}
healthzPort: 0
authentication: {{anonymous: {{enabled: false}}, webhook: {{enabled: true}}, x509: {{clientCAFile: {folder}/keys/ca.crt}}}}
authorization: {{mode: Webhook}}
tlsCertFile: {folder}/keys/node.crt
tlsPrivateKeyFile: {folder}/keys/node.key
containerRuntimeEndpoint: unix://{folder}/containerd.sock
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0
clusterDNS: [{address}]
clusterDomain: cluster.local
resolvConf: ""
podLogsDir: {folder}/podlogs
volumePluginDir: {folder}/kubelet/volumeplugins
evictionHard: {{memory.available: "100Mi", nodefs.available: "1%", imagefs.available: "1%", nodefs.inodesFree: "1%"}}
imageGCHighThresholdPercent: 100
maxPods: 110
nodeStatusUpdateFrequency: 5s
syncFrequency: 10s
"""

PROXY = """apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
bindAddress: {address}
healthzBindAddress: {address}:10256
metricsBindAddress: {address}:10249
clientConnection: {{kubeconfig: {folder}/etc/proxy.conf}}
clusterCIDR: {pods}
hostnameOverride: here
iptables: {{localhostNodePorts: false}}
conntrack: {{maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}}
"""


def quiet(*command) -> bool:
    return subprocess.run(list(map(str, command)), capture_output=True, check=False, timeout=60).returncode == 0


def owner() -> pathlib.Path | None:
    """The folder of the cluster that has the bridge."""
    try:
        return pathlib.Path(pathlib.Path(f"/sys/class/net/{BRIDGE}/ifalias").read_text().strip())
    except OSError:
        return None


def make_bridge(cluster: Cluster) -> None:
    for words in (("add", BRIDGE, "type", "bridge"), ("set", BRIDGE, "alias", cluster.folder), ("set", BRIDGE, "up")):
        if not quiet("ip", "link", *words):
            raise Failed(f"ip link {words[0]} {BRIDGE}", "it needs root and a kernel with bridges")
    if not quiet("ip", "address", "add", f"{ADDRESS}/24", "dev", BRIDGE):
        raise Failed(f"ip address add {ADDRESS}", f"something else on this machine uses {PODS}")


def write_settings(cluster: Cluster) -> None:
    values = {"folder": cluster.folder, "address": ADDRESS, "bridge": BRIDGE, "pods": PODS, "pause": PAUSE}
    (cluster.etc / "cni").mkdir(exist_ok=True)
    for name, text in (("cni/penstock.conflist", NETWORK), ("containerd.toml", CONTAINERD), ("kubelet.yaml", KUBELET), ("proxy.yaml", PROXY)):
        (cluster.etc / name).write_text(text.format(**values))
    (cluster.folder / "sysctls").write_text("".join(
        f"{name}={pathlib.Path('/proc/sys', name).read_text().strip()}\n" for name in SYSCTLS))


def load(folder: pathlib.Path, archive: pathlib.Path) -> None:
    """An image from a docker archive into the node's store."""
    done = subprocess.run(["ctr", "-a", f"{folder}/containerd.sock", "-n", "k8s.io", "images", "import", str(archive)],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed(f"the image in {archive} cannot be loaded", done.stderr)


def start(cluster: Cluster) -> None:
    write_settings(cluster)
    cluster.start("containerd", "containerd", "-c", cluster.etc / "containerd.toml", "--log-level", "warn")
    cluster.wait_for("containerd answers", "containerd", lambda: quiet("ctr", "-a", cluster.folder / "containerd.sock", "version"))
    pause = cluster.folder / "pause.tar"
    image = pathlib.Path(__file__).resolve().parents[1] / "image"
    programs.call(image, programs.path("pause"), pause, "--name", PAUSE, "--bare", cure="see tools/image")
    load(cluster.folder, pause)
    cluster.start("kubelet", programs.path("kubelet"), f"--config={cluster.etc}/kubelet.yaml",
                  f"--kubeconfig={cluster.kubeconfig('node', 'node')}", "--hostname-override=here", f"--node-ip={ADDRESS}",
                  f"--root-dir={cluster.folder}/kubelet")
    cluster.kubeconfig("proxy", "proxy")
    cluster.start("proxy", programs.path("kube-proxy"), f"--config={cluster.etc}/proxy.yaml")
    cluster.wait_for("the node is ready", "kubelet", lambda: cluster.condition("/api/v1/nodes/here", "Ready"))


# ---- the end of it

def stop_shims(folder: pathlib.Path) -> None:
    """What containerd left running: each shim and its pod names our socket."""
    mark = f"{folder}/containerd.sock".encode()
    for entry in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            words = pathlib.Path(entry).read_bytes().split(b"\0")
            if words[0].endswith(b"containerd-shim-runc-v2") and mark in words:
                os.kill(int(entry.split("/")[2]), signal.SIGKILL)
        except (OSError, IndexError):
            continue


def stop_cgroups() -> None:
    """Ends what still runs in the pods' groups, then removes them."""
    for root in glob.glob("/sys/fs/cgroup/*/kubepods") + glob.glob("/sys/fs/cgroup/kubepods"):
        folders = [folder for folder, _, _ in os.walk(root, topdown=False)]
        for folder in folders:
            for pid in pathlib.Path(folder, "cgroup.procs").read_text().split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        for folder in folders:
            wait(lambda at=folder: remove_group(at), 5)


def remove_group(folder: str) -> bool:
    try:
        os.rmdir(folder)
    except FileNotFoundError:
        pass
    except OSError:
        return False
    return True


def unmount(folder: pathlib.Path) -> None:
    mounts = [line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((each for each in mounts if each.startswith(f"{folder}/")), key=len, reverse=True):
        quiet("umount", "-l", mount)


def clean(folder: pathlib.Path) -> None:
    """After all processes ended: everything that a node leaves outside its folder."""
    stop_shims(folder)
    stop_cgroups()
    unmount(folder)
    if programs.path("kube-proxy").exists():
        quiet(programs.path("kube-proxy"), "--cleanup")
    remove_chains()
    quiet("ip", "link", "delete", BRIDGE)
    for namespace in glob.glob("/run/netns/cni-*"):
        if not open_elsewhere(namespace):
            quiet("ip", "netns", "delete", pathlib.Path(namespace).name)
    saved = folder / "sysctls"
    for line in saved.read_text().splitlines() if saved.exists() else []:
        name, value = line.split("=", 1)
        pathlib.Path("/proc/sys", name).write_text(value)


def remove_chains() -> None:
    """The kubelet's own, which kube-proxy --cleanup leaves."""
    for tables in ("iptables", "ip6tables"):
        for chain in ("INPUT", "OUTPUT"):
            quiet(tables, "-w", "-D", chain, "-j", "KUBE-FIREWALL")
        for table, chain in (("filter", "KUBE-FIREWALL"), *((each, "KUBE-KUBELET-CANARY") for each in ("mangle", "nat", "filter"))):
            if quiet(tables, "-w", "-t", table, "-F", chain):
                quiet(tables, "-w", "-t", table, "-X", chain)


def open_elsewhere(namespace: str) -> bool:
    """Does any process live in that network namespace?"""
    try:
        inode = os.stat(namespace).st_ino
    except OSError:
        return False
    for entry in glob.glob("/proc/[0-9]*/ns/net"):
        try:
            if os.stat(entry).st_ino == inode:
                return True
        except OSError:
            continue
    return False

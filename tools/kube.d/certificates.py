"""The keys of a cluster: an authority, one for the front proxy, and a certificate for each who speaks (openssl, EC keys, 30 days)."""
import pathlib
import subprocess

SERVICES = ("kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local")
KEDA = ("keda-operator.keda.svc", "keda-operator.keda.svc.cluster.local", "keda-metrics-apiserver.keda.svc")


def openssl(*words: str) -> None:
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"openssl {words[0]}: {done.stderr}")


def authority(folder: pathlib.Path, name: str) -> None:
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}", "-days", "30",
            "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.crt")


def certificate(folder: pathlib.Path, name: str, subject: str, names: str = "", by: str = "ca") -> None:
    request, extra = folder / f"{name}.csr", folder / f"{name}.ext"
    extra.write_text("keyUsage=digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n" + (f"subjectAltName={names}\n" if names else ""))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", subject,
            "-keyout", f"{folder}/{name}.key", "-out", str(request))
    openssl("x509", "-req", "-in", str(request), "-CA", f"{folder}/{by}.crt", "-CAkey", f"{folder}/{by}.key", "-CAcreateserial",
            "-days", "30", "-extfile", str(extra), "-out", f"{folder}/{name}.crt")
    request.unlink()
    extra.unlink()


def make(folder: pathlib.Path, address: str, first_service: str) -> None:
    folder.mkdir(parents=True)
    authority(folder, "ca")
    authority(folder, "front")
    own = f"IP:127.0.0.1,IP:{address},DNS:localhost"
    certificate(folder, "apiserver", "/CN=kube-apiserver", f"{own},IP:{first_service}," + ",".join(f"DNS:{each}" for each in SERVICES))
    certificate(folder, "admin", "/O=system:masters/CN=admin")
    certificate(folder, "controllers", "/CN=system:kube-controller-manager")
    certificate(folder, "scheduler", "/CN=system:kube-scheduler")
    certificate(folder, "proxy", "/CN=system:kube-proxy")
    certificate(folder, "node", "/O=system:nodes/CN=system:node:here", f"DNS:here,IP:{address}")
    certificate(folder, "front-proxy", "/CN=front-proxy-client", by="front")
    openssl("genrsa", "-out", f"{folder}/accounts.key", "2048")
    openssl("rsa", "-in", f"{folder}/accounts.key", "-pubout", "-out", f"{folder}/accounts.pub")
    keda = folder / "keda"  # KEDA looks for these names
    keda.mkdir()
    certificate(folder, "tls", "/CN=keda", own + "," + ",".join(f"DNS:{each}" for each in KEDA))
    for name in ("tls.crt", "tls.key"):
        (folder / name).rename(keda / name)
    (keda / "ca.crt").write_text((folder / "ca.crt").read_text())

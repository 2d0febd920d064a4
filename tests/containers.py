"""Containers without an engine: buildah and podman with a store of their own, on a base that Debian's packages make.

No registry has to be reached: what the files call python:3.11-slim-bookworm is Debian with its Python here, and what
they call Prometheus and Alertmanager are Debian's programs, started as those images start theirs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

BASE = "docker.io/library/python:3.11-slim-bookworm"
IMAGE = "localhost/yardlight"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What a machine may say about where packages come from, and a build has to know as well.
_MIRROR = ("index-url", "extra-index-url", "proxy", "trusted-host", "timeout")


class Containers:
    """A store in a folder, for as long as a test module needs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # No systemd and no limits to raise: what a container within a container, or a small machine, has.
        (folder / "containers.conf").write_text(
            f'[network]\nnetwork_backend = "netavark"\nnetwork_config_dir = "{folder}/networks"\n'
            '[engine]\ncgroup_manager = "cgroupfs"\nruntime = "runc"\nevents_logger = "file"\n'
            '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n'
        )
        self.environment = {
            **os.environ,
            "CONTAINERS_CONF": str(folder / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(folder / "storage.conf"),
            "TMPDIR": str(folder),
        }
        # Layers over one another where the kernel can do that; else each is a copy.
        if not self._stores("overlay"):
            assert self._stores("vfs"), "podman cannot keep images here"

    def _stores(self, driver: str) -> bool:
        (self.folder / "storage.conf").write_text(
            f'[storage]\ndriver = "{driver}"\ngraphroot = "{self.folder}/{driver}"\nrunroot = "{self.folder}/run"\n'
        )
        return subprocess.run(["podman", "info"], env=self.environment, capture_output=True).returncode == 0

    def run(self, *command: str | Path, env: Mapping[str, str] | None = None) -> str:
        """What the program prints; it has to succeed."""
        done = subprocess.run(
            [str(word) for word in command],
            env={**self.environment, **(env or {})}, capture_output=True, text=True, cwd=self.folder,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout.strip()

    def debian(self) -> None:
        """The base that the Dockerfile names: Debian 12 with its Python."""
        tar = self.folder / "base.tar"
        self.run(
            "mmdebstrap", "--variant=minbase", "--include=python3,python3-venv,ca-certificates", "--skip=output/dev",
            "--dpkgopt=force-unsafe-io", "bookworm", tar, "http://deb.debian.org/debian",
        )  # fmt: skip
        self.run("podman", "import", "--quiet", "--change", f"ENV {PATH}", tar, BASE)
        tar.unlink()

    def build(self, checkout: Path) -> None:
        """The image of this checkout, as its Dockerfile says."""
        (self.folder / "pip.conf").write_text("[global]\ncert = /run/secrets/ca\n" + "".join(_mirror()))
        authorities = os.environ.get("PIP_CERT", "/etc/ssl/certs/ca-certificates.crt")
        self.run(
            "buildah", "bud", "--isolation", "chroot", "--format", "docker", "--pull-never",
            "--secret", f"id=pip,src={self.folder / 'pip.conf'}", "--secret", f"id=ca,src={authorities}",
            "--file", checkout / "docker/Dockerfile", "--tag", IMAGE, checkout,
        )  # fmt: skip

    def stand_in(self, image: str, program: str, installed: str, data: str, shared: Path | None = None) -> None:
        """An image of that name whose program is the one that is installed here, started as the real one is.

        `shared` is a folder that the installed program reads.
        """
        context = self.folder / program
        context.mkdir()
        shutil.copy(shutil.which(installed) or installed, context / program)
        copies = [f"COPY {program} /bin/{program}"]
        if shared is not None:
            shutil.copytree(shared, context / "shared")
            copies.append(f"COPY shared {shared}")
        lines = [
            f"FROM {BASE}", *copies, f"RUN mkdir {data} && chown 65534:65534 {data}", "USER 65534", f"WORKDIR {data}",
            f'ENTRYPOINT ["/bin/{program}"]',
        ]  # fmt: skip
        (context / "Dockerfile").write_text("\n".join(lines) + "\n")
        self.run("buildah", "bud", "--isolation", "chroot", "--format", "docker", "--pull-never", "-t", image, context)

    def size(self, image: str) -> int:
        return int(self.run("podman", "image", "inspect", image, "--format", "{{.Size}}"))

    def remove(self) -> None:
        """Every container, network and image of this store."""
        subprocess.run(["podman", "rm", "--all", "--force", "--time", "2"], env=self.environment, capture_output=True)
        subprocess.run(["podman", "network", "prune", "--force"], env=self.environment, capture_output=True)
        subprocess.run(["umount", "--recursive", self.folder / "overlay/overlay"], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)


def _mirror() -> list[str]:
    """Lines of pip.conf: the mirror of this machine, as far as a container can reach it."""
    told = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    settings = (line.partition("=")[::2] for line in told.splitlines())
    return [
        f"{key} = {value}\n"
        for name, quoted in settings
        if (key := name.rpartition(".")[2]) in _MIRROR and not (value := quoted.strip("'\"")).startswith("file:")
    ]

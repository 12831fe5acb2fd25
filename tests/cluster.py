"""A Spark cluster on this machine: a master and two workers, each a process of its own.

The ports are free ones of the loopback interface. Each process has a process group of its
own, so that a worker can be killed together with the executor that it started. All files are
in one directory, which is removed when the cluster stops.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch


PATIENCE = 180.0
LOOPBACK = "127.0.0.1"
QUICK = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Duser.timezone=UTC"

Found = TypeVar("Found")


def missing() -> str | None:
    """What is not there of what a cluster needs; None where all of it is."""
    if find_spec("pyspark") is None:
        return 'the Spark tests need pyspark: pip install -e ".[spark]"'
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return "the Spark tests need Java 17: apt-get install openjdk-17-jre-headless"
    return None


def wait_for(look: Callable[[], Found | None], what: str, *, seconds: float = PATIENCE) -> Found:
    """The first answer of ``look`` that is neither None nor False."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found is not None and found is not False:
            return found
        time.sleep(0.02)
    raise TimeoutError(f"{what} did not happen within {seconds:.0f} s")


@dataclass
class Part:
    """A process of the cluster."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self.folder / "log").read_text(errors="replace")

    def wait_until_it_says(self, pattern: str) -> re.Match[str]:
        """The first match in its log; an error where it ends instead."""

        def look() -> re.Match[str] | None:
            ended = self.process.poll() is not None
            found = re.search(pattern, self.log)
            if found is None and ended:
                raise RuntimeError(f"{self.folder.name} ended: {self.log[-2000:]}")
            return found

        return wait_for(look, f"{pattern!r} in the log of {self.folder.name}")

    def runs_executor(self, number: str) -> bool:
        """Whether it is a worker that started this executor."""
        return any(self.folder.glob(f"work/app-*/{number}"))

    def kill(self) -> None:
        """End it and everything that it started, at once, as a power cut would."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Cluster:
    """A master and its workers.

    Attributes:
        url: where sessions connect to.
        workers: the workers that are meant to run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = ""
        self.workers: list[Part] = []
        self._parts: list[Part] = []

    def start(self) -> None:
        """Start the master, and wait until it listens."""
        master = self._start("master", "master.Master", "--host", LOOPBACK, "--port", "0")
        self.url = master.wait_until_it_says(r"Starting Spark master at (spark://\S+)")[1]

    def _start(self, name: str, what: str, *arguments: str) -> Part:
        import pyspark

        home = Path(pyspark.__file__).parent
        folder = self.folder / name
        folder.mkdir()
        command = [str(home / "bin" / "spark-class"), f"org.apache.spark.deploy.{what}"]
        environment = {
            **os.environ,
            "SPARK_HOME": str(home),
            "SPARK_CONF_DIR": str(self.folder),
            "SPARK_LOCAL_IP": LOOPBACK,
            "SPARK_LOCAL_DIRS": str(folder),
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_DAEMON_JAVA_OPTS": QUICK,
            "TZ": "UTC",
        }
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [*command, *arguments, "--webui-port", "0"],
                env=environment,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        part = Part(process, folder)
        self._parts.append(part)
        return part

    def fill_up(self, count: int = 2) -> None:
        """Start workers until so many run, each with one core, and wait until they are in."""
        self.workers = [worker for worker in self.workers if worker.process.poll() is None]
        for _ in range(count - len(self.workers)):
            options = ("--host", LOOPBACK, "--cores", "1", "--memory", "1536m")
            name = f"worker-{len(self._parts)}"
            options = (*options, "--work-dir", str(self.folder / name / "work"))
            self.workers.append(self._start(name, "worker.Worker", *options, self.url))
        for worker in self.workers:
            worker.wait_until_it_says("Successfully registered with master")

    def stop(self) -> None:
        """End all of it."""
        for part in reversed(self._parts):
            part.kill()


@contextmanager
def start_cluster() -> Iterator[Cluster]:
    """A cluster with two workers, which ends with the block."""
    with tempfile.TemporaryDirectory(prefix="spark-", ignore_cleanup_errors=True) as folder:
        cluster = Cluster(Path(folder))
        try:
            cluster.start()
            cluster.fill_up()
            yield cluster
        finally:
            cluster.stop()


@contextmanager
def start_session(cluster: Cluster) -> Iterator[Any]:
    """A session on a cluster, with one executor of one core on each worker."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    settings = {
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.memory": "1g",
        "spark.driver.extraJavaOptions": QUICK,
        "spark.executor.memory": "1g",
        "spark.executor.cores": "1",
        "spark.executor.extraJavaOptions": QUICK,
        "spark.shuffle.io.retryWait": "1s",
        "spark.sql.artifact.isolation.enabled": "false",
        "spark.sql.dataFrameQueryContext.enabled": "false",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.warehouse.dir": str(cluster.folder / "warehouse"),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
    }
    environment = {
        "PYSPARK_PYTHON": sys.executable,
        "SPARK_CONF_DIR": str(cluster.folder),
        "SPARK_LOCAL_IP": LOOPBACK,
    }
    builder = SparkSession.builder.master(cluster.url).appName("scrmkit").config(map=settings)
    with patch.dict(os.environ, environment):
        session = builder.getOrCreate()
        try:
            yield session
        finally:
            gateway = SparkContext._gateway
            session.stop()
            gateway.shutdown()
            gateway.proc.stdin.close()
            gateway.proc.wait(timeout=60)
            SparkContext._gateway = SparkContext._jvm = None

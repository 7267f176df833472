"""Spark beside the node: a session over Parquet files, where one machine is outgrown.

A room brings its own SQL and offers its own relations; here stands how Spark is begun, bounded,
ended, and how its faults are told.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa

from cordon.kernel.errors import BadInput, CordonError, Unavailable

JAVA = 17
"""Java's least version: Spark 4 begins with none older."""

_LEAST_MB = 1024  # a driver refuses to begin below 450 MB, and plans hold some of it
_REACH_S, _WORKERS_S = 5.0, 60.0  # until a master answers, and until it has given us workers
_STOP_S = 20.0
_OTHERS_S = 3600.0  # a process has one Spark at a time: until another search is through
_ONE = threading.Lock()

# what makes Spark read and reckon as DuckDB does
_ALIKE = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "true",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.mergeSchema": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
}
_QUIET = {
    "spark.app.name": "cordon",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.eventLog.enabled": "false",
    "spark.jars.packages": "",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.log.level": "ERROR",
}
_PACE = {
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.shuffle.partitions": "64",  # joined again where they are small
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "100000",
    "spark.sql.autoBroadcastJoinThreshold": "64m",  # `near` is a few million keys at most
    "spark.driver.maxResultSize": "0",  # its memory is the bound
}


class Spark:
    """One Spark session. Begins with the first query, ends with the block.

    Args:
        master: `local[N]` for N threads in one process of this machine, or `spark://host:port`
            of a standalone cluster, which takes all its cores.
        prepare: told the session once it stands: offers functions and relations.
        memory_mb: heap of the driver and of each executor (MB), 1,024 at least. Python beside an
            executor needs some 200 MB more.
        scratch: folder for what does not fit; the machine's own where absent.
        conf: further Spark settings, over ours. What else a cluster asks for (secrets, TLS)
            belongs into `spark-defaults.conf` of the folder that SPARK_CONF_DIR names.

    Raises:
        Unavailable: PySpark or Java is missing, the master does not answer or has no worker to
            spare, or memory or disk is full.
        BadInput: a file that Spark cannot read.
    """

    def __init__(
        self,
        master: str,
        prepare: Callable[[Any], None],
        *,
        memory_mb: int = 2048,
        scratch: Path | None = None,
        conf: Mapping[str, str] | None = None,
    ) -> None:
        self._master, self._prepare = master, prepare
        self._memory_mb = max(memory_mb, _LEAST_MB)
        self._scratch = scratch
        self._conf = dict(conf or {})
        self._session: Any = None
        self._gateway: Any = None
        self._folder: Path | None = None
        self._held = False

    def __enter__(self) -> Spark:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def table(self, sql: str) -> pa.Table:
        """The answer to a query, whole, in its order."""
        session = self.begun()
        with told(self._memory_mb):
            return session.sql(sql).toArrow()

    def put(self, name: str, table: pa.Table) -> None:
        """Offer a table to queries under a name; one of that name is replaced."""
        session = self.begun()
        with told(self._memory_mb):
            session.createDataFrame(table).createOrReplaceTempView(name)

    def view(self, name: str, sql: str) -> None:
        """Offer a query to queries under a name."""
        session = self.begun()
        with told(self._memory_mb):
            session.sql(sql).createOrReplaceTempView(name)

    def keep(self, name: str, sql: str) -> None:
        """Offer the answer to a query, worked out once, to queries under a name."""
        session = self.begun()
        with told(self._memory_mb):
            session.sql(sql).persist().createOrReplaceTempView(name)

    def drop(self, name: str) -> None:
        """Let go of what `keep` kept."""
        session = self.begun()
        with told(self._memory_mb):
            session.table(name).unpersist()
            session.catalog.dropTempView(name)

    def close(self) -> None:
        """End Spark and its process, and remove what it left on the disk."""
        session, self._session = self._session, None
        try:
            with suppress(Exception), warnings.catch_warnings():  # it may have died before us
                warnings.simplefilter("ignore")
                if session is not None:
                    session.stop()
            self._end_process()
        finally:
            logging.getLogger().removeFilter(_by_others)
            if self._folder is not None:
                shutil.rmtree(self._folder, ignore_errors=True)
                self._folder = None
            if self._held:
                self._held = False
                _ONE.release()

    def begun(self) -> Any:
        """The session; begun with the first call.

        Raises:
            Unavailable: as of the class.
        """
        if self._session is None:
            try:
                with told(self._memory_mb):  # while its process can still tell what it was
                    self._begin()
            except BaseException:
                self.close()
                raise
        return self._session

    def _begin(self) -> None:
        _check_installed()
        _check_reached(self._master)
        if not _ONE.acquire(timeout=_OTHERS_S):
            raise Unavailable("Spark is busy with another search.", advice="Try again later.")
        self._held = True
        self._folder = Path(tempfile.mkdtemp(prefix="cordon-spark-", dir=self._scratch))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that pandas, which is not used, is too new
            from pyspark import SparkConf, SparkContext
            from pyspark.java_gateway import launch_gateway
            from pyspark.sql import SparkSession

            # what goes wrong is told by the error that is raised
            logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)
            logging.getLogger().addFilter(_by_others)
            conf = SparkConf(loadDefaults=False).setMaster(self._master)
            conf.setAll(list(self._settings(self._folder).items()))
            log = self._folder / "log"
            with log.open("wb") as words:
                self._gateway = launch_gateway(conf, {"stdout": words, "stderr": words})
            with _interrupts_kept():
                context = SparkContext(conf=conf, gateway=self._gateway)
            if _here(self._master):  # its Python is ours, which has what `slot63` needs
                context.pythonExec = os.environ.get("PYSPARK_PYTHON", sys.executable)
            self._session = SparkSession(context)
            _wait_for_workers(context, self._master)
        self._prepare(self._session)

    def _settings(self, folder: Path) -> dict[str, str]:
        made = {
            **_ALIKE,
            **_QUIET,
            **_PACE,
            "spark.driver.memory": f"{self._memory_mb}m",
            "spark.executor.memory": f"{self._memory_mb}m",
            "spark.local.dir": str(folder),
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
        }
        if _here(self._master):
            made["spark.driver.bindAddress"] = made["spark.driver.host"] = "127.0.0.1"
        return {**made, **self._conf}

    def _end_process(self) -> None:
        gateway, self._gateway = self._gateway, None
        if gateway is None:
            return
        from pyspark import SparkContext
        from pyspark.sql import SparkSession

        # PySpark keeps the process for the next session; it would keep its memory too. Where the
        # process died, stopping it failed before PySpark forgot it.
        SparkContext._gateway = None
        SparkContext._jvm = None
        SparkContext._active_spark_context = None
        SparkSession._instantiatedSession = None
        process = getattr(gateway, "proc", None)
        with suppress(Exception):  # it may have died before us
            gateway.shutdown()
        if process is None:
            return
        with suppress(OSError):
            process.stdin.close()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _by_others(record: logging.LogRecord) -> bool:
    """False for a trace that py4j logs, in nobody's name, of what it raises anyway."""
    return f"{os.sep}py4j{os.sep}" not in record.pathname


@contextmanager
def _interrupts_kept() -> Iterator[None]:
    """PySpark puts its own answer to Ctrl-C in place, which fails once Spark has ended."""
    before = signal.getsignal(signal.SIGINT)
    yield
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, before)


def parquet(session: Any, paths: Sequence[Path], *, merged: bool = False) -> Any:
    """Parquet files as a frame of Spark; a name is a name, and no pattern.

    Args:
        merged: with the columns of all of them, where some have more than others.

    Raises:
        BadInput: a name that Spark passes over.
    """
    for path in paths:
        if path.name.startswith(("_", ".")):  # Spark reads such a file as empty
            raise BadInput(
                f"Spark passes over a file whose name begins with {path.name[0]!r}.",
                advice="Give it another name.",
            )
    reader = session.read.option("__globPaths__", "false")
    if merged:
        reader = reader.option("mergeSchema", "true")
    return reader.parquet(*(str(p.absolute()) for p in paths))


def _here(master: str) -> bool:
    """True where the master is this machine, so that nothing need leave it."""
    if master.startswith("local"):
        return True
    return urlsplit(master).hostname in ("127.0.0.1", "localhost", "::1")


def _check_installed() -> None:
    if importlib.util.find_spec("pyspark") is None:
        raise Unavailable(
            "PySpark is not installed.",
            advice="Install it with pip install cordon[spark], or set "
            "CORDON_COLUMNS_ENGINE to duckdb.",
        )
    version = java_version()
    if version < JAVA:
        found = f"Java {version}" if version else "no Java"
        raise Unavailable(
            f"Spark needs Java {JAVA} or newer, and there is {found} on this machine.",
            advice=f"Install Java {JAVA} from the system's packages (openjdk-{JAVA}-jre-headless), "
            "or set JAVA_HOME.",
        )


def java_version() -> int:
    """The major version of the Java that Spark would begin; 0 where there is none."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None:
        return 0
    try:
        done = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', done.stderr + done.stdout)
    return int(found.group(1)) if found else 0


def _check_reached(master: str) -> None:
    """Ask whether anything listens: Spark itself would try for a minute and give no reason."""
    if master.startswith("local"):
        return
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), _REACH_S).close()
        except (OSError, ValueError):
            continue
        return
    raise Unavailable(
        f"No Spark master answers at {master}.",
        advice="Start it, or set CORDON_COLUMNS_ENGINE to duckdb.",
    )


def _wait_for_workers(context: Any, master: str) -> None:
    if master.startswith("local"):
        return
    until = time.monotonic() + _WORKERS_S
    while context._jsc.sc().getExecutorMemoryStatus().size() < 2:  # the driver is one
        if time.monotonic() > until:
            raise Unavailable(
                "The Spark master has no worker to spare.",
                advice="See that a worker runs with as much memory as "
                "CORDON_COLUMNS_MEMORY_MB says, and that no other program holds it.",
            )
        time.sleep(0.1)


@contextmanager
def told(memory_mb: int) -> Iterator[None]:
    """Spark's faults as ours; what only a mistake in a query can cause is left as it is."""
    try:
        yield
    except CordonError:
        raise
    except Exception as fault:
        words = str(fault)
        if "OutOfMemory" in words:
            raise Unavailable(
                f"Spark needs more than its {memory_mb} MB of memory.",
                advice="Ask for a shorter span, or raise CORDON_COLUMNS_MEMORY_MB.",
            ) from fault
        if "No space left" in words:
            raise Unavailable(
                "The disk that Spark works on is full.", advice="Free space on it."
            ) from fault
        if other := re.search(r"other DuckDB: \S+ here, \S+ at the node", words):
            raise Unavailable(
                f"A Spark worker has an{other.group()}.",
                advice="Install the node's version there.",
            ) from fault
        if re.search(r"No module named '?(duckdb|pyarrow)", words):
            raise Unavailable(
                "The Python of a Spark worker lacks DuckDB or PyArrow.",
                advice="Install both there, or name another Python with PYSPARK_PYTHON.",
            ) from fault
        if re.search(r"FAILED_READ_FILE|CANNOT_READ_FILE_FOOTER|is not a Parquet file", words):
            raise BadInput("A Parquet file cannot be read: it was cut or changed.") from fault
        if "PATH_NOT_FOUND" in words or "FileNotFoundException" in words:
            raise Unavailable(
                "Spark does not find a Parquet file.",
                advice="Every machine of the cluster needs the files at the same paths.",
            ) from fault
        if type(fault).__module__.startswith("py4j") or isinstance(fault, ConnectionError):
            raise Unavailable(
                f"Spark broke off ({type(fault).__name__}); its {memory_mb} MB of memory may not "
                "have been enough.",
                advice="Ask for a shorter span, or raise CORDON_COLUMNS_MEMORY_MB; else look at "
                "the logs of the master and the workers.",
            ) from fault
        raise

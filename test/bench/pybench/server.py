"""The server measured: statements, the driver, restarts, its cache, the machine."""

import json
import os
import platform
import pwd
import shutil
import subprocess
import sys
import time

SETTINGS = ("server_version", "shared_buffers", "maintenance_work_mem",
            "work_mem", "max_parallel_maintenance_workers",
            "max_parallel_workers", "wal_level", "max_wal_size", "fsync",
            "full_page_writes", "effective_io_concurrency", "jit",
            "diskann.simd")


class Server:
    """The server of the PG* environment.

    bindir: of its programs.  driver: path of diskann_bench.  restartable: it
    is ours to stop and start.  raw: directory for the driver's own results.
    """

    def __init__(self, bindir, driver, restartable, raw):
        self.bindir = bindir
        self.driver = driver
        self.restartable = restartable
        self.raw = raw
        os.makedirs(raw, exist_ok=True)
        self.log = open(os.path.join(os.path.dirname(raw), "commands.log"), "w",
                        encoding="utf-8")
        self.data = self.sql("SHOW data_directory")

    def psql(self, statement, database, **more):
        return subprocess.run(
            [os.path.join(self.bindir, "psql"), "-X", "-q", "-A", "-t",
             "-v", "ON_ERROR_STOP=1", "-d", database, "-c", statement],
            stdout=subprocess.PIPE, text=True, check=False,
            env={**os.environ, "PGOPTIONS": "-c client_min_messages=warning"},
            **more)

    def sql(self, statement, database="postgres"):
        """The first column of all rows, one a line."""
        done = self.psql(statement, database)
        if done.returncode:
            raise SystemExit("failed: " + statement)
        return done.stdout.strip()

    def number(self, statement, database="postgres"):
        return int(self.sql(statement, database))

    def load(self, database, *arguments):
        """Has the driver make a table."""
        subprocess.run([self.driver, "load", *[str(a) for a in arguments],
                        "--dsn", "dbname=" + database], check=True)

    def drive(self, name, database, *arguments):
        """Runs the driver; returns what it wrote as JSON, kept as raw/NAME."""
        result = os.path.join(self.raw, name + ".json")
        command = [self.driver, *[str(a) for a in arguments],
                   "--dsn", "dbname=" + database, "--json", result]
        self.log.write(" ".join("'%s'" % a if " " in a or "'" in a else a
                                for a in command) + "\n")
        self.log.flush()
        sys.stdout.flush()
        subprocess.run(command, check=True)
        with open(result, encoding="utf-8") as f:
            return json.load(f)

    # Starting and stopping

    def as_owner(self):
        """What to put before a command that must run as the server's user."""
        owner = os.stat(self.data).st_uid
        if owner == os.geteuid():
            return []
        return ["runuser", "-u", pwd.getpwuid(owner).pw_name, "--"]

    def pg_ctl(self, *arguments):
        subprocess.run(self.as_owner() + [
            os.path.join(self.bindir, "pg_ctl"), "-s", "-w", "-t", "300",
            "-D", self.data, *arguments],
            check=True, stdout=subprocess.DEVNULL)

    def stop(self):
        self.pg_ctl("-m", "fast", "stop")

    def start(self):
        self.pg_ctl("-l", os.path.join(os.path.dirname(self.data), "server.log"),
                    "start")

    def configure(self, name, value):
        """ALTER SYSTEM; None resets.  Takes effect with the next start."""
        self.sql("ALTER SYSTEM RESET %s" % name if value is None
                 else "ALTER SYSTEM SET %s = '%s'" % (name, value))

    def drop_cache(self):
        """Has the operating system forget the server's files.

        Only while the server is stopped: its dirty pages must be in the files.
        Returns whether that was possible.
        """
        for directory, _, files in os.walk(os.path.join(self.data, "base")):
            for name in files:
                try:
                    fd = os.open(os.path.join(directory, name), os.O_RDONLY)
                except OSError:
                    return False
                try:
                    os.fsync(fd)
                    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
                finally:
                    os.close(fd)
        return os.access(os.path.join(self.data, "base"), os.R_OK)

    # Facts

    def create_extensions(self, contender):
        """What a contender needs; the server's complaint if that is not there.

        pg_available_extensions would not tell: Debian's extension_destdir is
        unknown to it.
        """
        if contender.database != "postgres" and not self.sql(
                "SELECT 1 FROM pg_database WHERE datname = '%s'"
                % contender.database):
            self.sql("CREATE DATABASE %s" % contender.database)
        for name in contender.extensions:
            if self.sql("SELECT 1 FROM pg_extension WHERE extname = '%s'"
                        % name, contender.database):
                continue
            done = self.psql("CREATE EXTENSION %s CASCADE" % name,
                             contender.database, stderr=subprocess.PIPE)
            if done.returncode:
                return done.stderr.strip().splitlines()[0]
        return None

    def facts(self):
        settings = self.sql(
            "SELECT name || '=' || current_setting(name) FROM pg_settings"
            " WHERE name = ANY ('{%s}')" % ",".join(SETTINGS))
        extensions = self.sql("SELECT extname || '=' || extversion"
                              " FROM pg_extension ORDER BY 1")
        return {"settings": dict(line.split("=", 1)
                                 for line in settings.splitlines()),
                "extensions": dict(line.split("=", 1)
                                   for line in extensions.splitlines())}


def read_ahead_kb(path):
    """What the kernel reads ahead at most on the device of a file."""
    try:
        device = os.stat(path).st_dev
        with open("/sys/class/bdi/%d:%d/read_ahead_kb"
                  % (os.major(device), os.minor(device)), encoding="utf-8") as f:
            return int(f.read())
    except OSError:
        return None


def machine(data):
    cpu = ""
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        for line in f:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo", encoding="utf-8") as f:
        memory_kb = int(f.readline().split()[1])
    return {"cpu": cpu, "processors": os.cpu_count(),
            "memory_bytes": memory_kb * 1024, "kernel": platform.release(),
            "read_ahead_kb": read_ahead_kb(data),
            "architecture": platform.machine(), "load": os.getloadavg()[0]}


def has_program(name):
    return shutil.which(name) is not None


class Progress:
    """Says which step of how many begins, and how long they take."""

    def __init__(self, total):
        self.total = total
        self.done = 0
        self.start = time.monotonic()

    def step(self, text):
        self.done += 1
        print("\n== [%d/%d, %.0f s] %s" % (
            self.done, self.total, time.monotonic() - self.start, text),
            flush=True)

"""Settings of the server, scaled from the machine; the application shares it, so the server takes less than all.

Time limits are not here: they belong to roles (`ila.db.embedded.roles`), so that they hold behind a pooler and with
a server of the operator's own.
"""

import os
from dataclasses import dataclass
from pathlib import Path

KIB, MIB, GIB = 1024, 1024**2, 1024**3
CONTAINER_SHARED_MEMORY = 64 * MIB
"""The size of /dev/shm in a container that was given none; parallel queries can exhaust it."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What this process may use: memory in bytes, whole processors, the size of /dev/shm in bytes if there is one."""

    memory_bytes: int
    cpus: int
    shared_memory_bytes: int | None


def connections(workers: int, threads: int) -> int:
    """Return max_connections: the web application, 8 for the scheduler, 20 for CLI, migrations and monitoring."""
    return workers * threads + 8 + 20


def tuning(
    memory_bytes: int, cpus: int, max_connections: int, *, shared_memory_bytes: int | None = None, durable: bool = True
) -> dict[str, str]:
    """Return the settings, by name, for a server on such a machine.

    `durable=False` turns fsync off: for tests alone, a crash of the machine then loses the data.
    `shared_memory_bytes`, the size of /dev/shm, moves shared memory to files where it is too small for parallel plans.
    """
    settings = {
        "max_connections": str(max_connections),
        "shared_buffers": _mebibytes(_between(128 * MIB, memory_bytes // 8, 8 * GIB)),
        "effective_cache_size": _mebibytes(memory_bytes // 2),
        "maintenance_work_mem": _mebibytes(_between(64 * MIB, memory_bytes // 32, GIB)),
        "work_mem": f"{_between(4 * MIB, memory_bytes // (8 * max_connections), 32 * MIB) // KIB}kB",
        "max_wal_size": _mebibytes(_between(GIB, memory_bytes // 4, 8 * GIB)),
        "min_wal_size": "256MB",
        "checkpoint_timeout": "15min",
        "checkpoint_completion_target": "0.9",
        "max_worker_processes": str(max(8, cpus)),  # the ceiling of the next one
        "max_parallel_workers": str(cpus),
        "max_parallel_workers_per_gather": str(cpus // 2),
        "random_page_cost": "1.1",
        "wal_compression": "pglz",
        "jit": "off",
        "fsync": "on" if durable else "off",
        "full_page_writes": "on",
        "synchronous_commit": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "log_min_duration_statement": "500ms",
        "log_lock_waits": "on",
        "log_checkpoints": "on",
        # Parameters, and the DETAIL of a broken constraint, are personal data: neither may reach a log.
        "log_parameter_max_length": "0",
        "log_parameter_max_length_on_error": "0",
        "log_error_verbosity": "terse",
    }
    if shared_memory_bytes is not None and shared_memory_bytes <= CONTAINER_SHARED_MEMORY:
        settings["dynamic_shared_memory_type"] = "mmap"
    return settings


def this_machine(cgroup_root: Path = Path("/sys/fs/cgroup"), own_cgroup: Path = Path("/proc/self/cgroup")) -> Machine:
    """Return the lesser of the machine and the control group (version 2) of this process; reads both."""
    memory_bytes = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")  # MemTotal
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for group in _cgroups(cgroup_root, own_cgroup):
        limit = _words(group / "memory.max")
        if limit and limit[0].isdecimal():
            memory_bytes = min(memory_bytes, int(limit[0]))
        quota = _words(group / "cpu.max")
        if len(quota) == 2 and quota[0].isdecimal():
            cpus = min(cpus, max(1, int(quota[0]) // int(quota[1])))
    return Machine(memory_bytes, cpus, _shared_memory_bytes())


def _cgroups(root: Path, own: Path) -> list[Path]:
    """Return the control group of this process and those above it: each of them limits."""
    lines = own.read_text().splitlines() if own.exists() else []
    names = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    group = root / names[0] if names else root
    return [group, *(above for above in group.parents if above.is_relative_to(root))]


def _shared_memory_bytes() -> int | None:
    try:
        volume = os.statvfs("/dev/shm")
    except OSError:
        return None
    return volume.f_blocks * volume.f_frsize


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _between(least: int, wanted: int, most: int) -> int:
    return max(least, min(wanted, most))


def _mebibytes(size_bytes: int) -> str:
    return f"{size_bytes // MIB}MB"

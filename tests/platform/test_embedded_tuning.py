"""Settings scaled from the machine: the figures of the platform's table, at both ends and between."""

from pathlib import Path

import pytest

from ila.db import embedded

MIB, GIB = 1024**2, 1024**3


@pytest.mark.parametrize(
    ("memory_bytes", "shared_buffers", "cache", "maintenance", "work", "wal"),
    [
        (512 * MIB, "128MB", "256MB", "64MB", "4096kB", "1024MB"),
        (8 * GIB, "1024MB", "4096MB", "256MB", "16384kB", "2048MB"),
        (24 * GIB, "3072MB", "12288MB", "768MB", "32768kB", "6144MB"),
        (256 * GIB, "8192MB", "131072MB", "1024MB", "32768kB", "8192MB"),
    ],
)
def test_memory_settings_follow_the_machine_between_their_bounds(
    memory_bytes: int, shared_buffers: str, cache: str, maintenance: str, work: str, wal: str
) -> None:
    settings = embedded.tuning(memory_bytes, 2, 64)

    assert settings["shared_buffers"] == shared_buffers
    assert settings["effective_cache_size"] == cache
    assert settings["maintenance_work_mem"] == maintenance
    assert settings["work_mem"] == work
    assert settings["max_wal_size"] == wal
    assert settings["min_wal_size"] == "256MB"


@pytest.mark.parametrize(("cpus", "workers", "per_gather", "processes"), [(1, "1", "0", "8"), (16, "16", "8", "16")])
def test_parallel_workers_follow_the_processors(cpus: int, workers: str, per_gather: str, processes: str) -> None:
    settings = embedded.tuning(GIB, cpus, 64)

    assert settings["max_parallel_workers"] == workers
    assert settings["max_parallel_workers_per_gather"] == per_gather
    assert settings["max_worker_processes"] == processes


def test_connections_leave_room_for_the_scheduler_and_the_command_line() -> None:
    assert embedded.connections(workers=2, threads=4) == 2 * 4 + 8 + 20
    assert embedded.tuning(GIB, 2, 36)["max_connections"] == "36"


def test_a_server_is_durable_unless_a_test_says_otherwise() -> None:
    durable = embedded.tuning(GIB, 2, 64)
    careless = embedded.tuning(GIB, 2, 64, durable=False)

    assert [durable[name] for name in ("fsync", "full_page_writes", "synchronous_commit")] == ["on", "on", "on"]
    assert {name for name in durable if durable[name] != careless[name]} == {"fsync"}


def test_no_parameter_and_no_detail_of_a_row_reaches_the_log() -> None:
    settings = embedded.tuning(GIB, 2, 64)

    assert settings["log_parameter_max_length"] == "0"
    assert settings["log_parameter_max_length_on_error"] == "0"
    assert settings["log_error_verbosity"] == "terse"


def test_shared_memory_goes_to_files_in_a_container_of_the_default_size() -> None:
    assert embedded.tuning(GIB, 2, 64, shared_memory_bytes=64 * MIB)["dynamic_shared_memory_type"] == "mmap"
    assert "dynamic_shared_memory_type" not in embedded.tuning(GIB, 2, 64, shared_memory_bytes=GIB)


def test_a_control_group_and_those_above_it_limit_the_machine(tmp_path: Path) -> None:
    group = tmp_path / "groups" / "outer" / "inner"
    group.mkdir(parents=True)
    (group / "memory.max").write_text("max\n")
    (group / "cpu.max").write_text("100000 100000\n")
    (group.parent / "memory.max").write_text(f"{300 * MIB}\n")
    (tmp_path / "own").write_text("1:name=systemd:/elsewhere\n0::/outer/inner\n")

    machine = embedded.this_machine(tmp_path / "groups", tmp_path / "own")

    assert (machine.memory_bytes, machine.cpus) == (300 * MIB, 1)


def test_without_limits_the_machine_is_what_it_says(tmp_path: Path) -> None:
    machine = embedded.this_machine(tmp_path, tmp_path / "absent")

    total_kib = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    assert machine.memory_bytes == int(total_kib.split()[1]) * 1024
    assert machine.cpus >= 1

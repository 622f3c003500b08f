"""What an imports process needs to know at start."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

SERVICE = "imports"
PREFIX = "IMPORTS_"
SOURCE = "crm/hq/imports"
MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


@dataclass(frozen=True)
class Settings:
    """Settings of every imports process; the peers' addresses and the secret are for its jobs only."""

    database_url: str = field(metadata={"help": "postgresql+psycopg://user:password@host/imports"})
    grpc_listen: str = "127.0.0.1:7404"
    bus_url: str = ""
    token_public_key: str = ""
    directory_address: str = "127.0.0.1:7401"
    contacts_address: str = "127.0.0.1:7402"
    deals_address: str = "127.0.0.1:7403"
    scheduling_address: str = "127.0.0.1:7406"
    reporting_address: str = "127.0.0.1:7405"
    service_secret: str = ""
    batch_rows: int = 1_000  # rows a call; what a service takes in one transaction well under a second
    max_file_bytes: int = 268_435_456  # 256 MiB, the reader's own limit
    scan_command: str = ""  # looks at each uploaded file before it is read, see imports.scanning
    export_rows_a_day: int = 10_000  # a list of a branch is taken along; the whole base takes a second person
    export_most_rows: int = 1_000_000  # what one sheet of a workbook holds
    export_days: int = 7  # until a file that is ready is deleted

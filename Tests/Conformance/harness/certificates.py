"""A throw-away certificate authority with one server and two client certificates, made by the openssl command."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files; `stranger` is a client certificate of another authority."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path
    stranger: Path
    stranger_key: Path
    other_authority: Path


def make_certificates(directory: Path) -> Certificates:
    directory.mkdir(parents=True, exist_ok=True)
    authority, other = _authority(directory, "authority"), _authority(directory, "other")
    server = _leaf(directory, "server", authority, "subjectAltName=IP:127.0.0.1,DNS:localhost")
    client = _leaf(directory, "client", authority, "extendedKeyUsage=clientAuth")
    stranger = _leaf(directory, "stranger", other, "extendedKeyUsage=clientAuth")
    return Certificates(authority[0], *server, *client, *stranger, other[0])


def _authority(directory: Path, name: str) -> tuple[Path, Path]:
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    _openssl(
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        f"/CN={name}",
        "-keyout",
        key,
        "-out",
        certificate,
    )
    return certificate, key


def _leaf(directory: Path, name: str, authority: tuple[Path, Path], extension: str) -> tuple[Path, Path]:
    certificate, key, request, extensions = (directory / f"{name}.{end}" for end in ("pem", "key", "csr", "ext"))
    extensions.write_text(extension + "\n")
    _openssl(
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        f"/CN={name}",
        "-keyout",
        key,
        "-out",
        request,
    )
    _openssl(
        "x509",
        "-req",
        "-in",
        request,
        "-CA",
        authority[0],
        "-CAkey",
        authority[1],
        "-CAcreateserial",
        "-days",
        "2",
        "-extfile",
        extensions,
        "-out",
        certificate,
    )
    return certificate, key


def _openssl(*arguments) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

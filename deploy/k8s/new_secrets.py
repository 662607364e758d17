"""Make the secrets of a new installation: `python deploy/k8s/new_secrets.py --help`.

Writes a folder with every key, and a `kustomization.yaml` that turns it into the Secrets that the manifests
refer to. Keep the folder: it holds the only copies. Nothing in it is ever overwritten.
"""

from __future__ import annotations

import argparse
import secrets
from pathlib import Path

from lienthong.client import Credentials
from lienthong.identity.domain.key_encryption import KeyEncryption
from lienthong.identity.service.key_encryption_file import write_key_encryption
from lienthong.kit.files import PUBLIC, create_file
from lienthong.ledger.service.signing_key_file import create_key

DATABASES = ("catalog", "identity", "exchange", "ledger")
CLIENTS = ("operator", "auditor")

KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {namespace}
generatorOptions:
  disableNameSuffixHash: true
secretGenerator:
  - name: lienthong-nats
    files: [password=nats.password]
  - name: lienthong-identity
    files: [key-encryption.jwk]
  - name: lienthong-exchange
    files: [acknowledgements.key]
  - name: lienthong-ledger
    files: [ledger.key]
  - name: lienthong-gateway
    files: [privacy.key]
  - name: lienthong-clients
    files:
      - operator-client.json=operator/client.json
      - operator-key.jwk=operator/key.jwk
      - auditor-client.json=auditor/client.json
      - auditor-key.jwk=auditor/key.jwk
"""
WITH_DATABASE = """\
  - name: lienthong-database
    envs: [database.env]
"""


def write_secrets(
    folder: Path, *, public_url: str, database_url: str | None, instance: str, namespace: str
) -> None:
    """Make every key of an installation in a new folder that only its owner can read.

    Raises:
        FileExistsError: there is something in the folder already.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: keys are never overwritten")
    # Not digits alone, which NATS would read as a number; nothing that an address would have to escape.
    create_file(folder / "nats.password", f"p{secrets.token_hex(32)}")
    write_key_encryption(folder / "key-encryption.jwk", KeyEncryption.generate())
    create_file(folder / "acknowledgements.key", secrets.token_hex(32) + "\n")
    create_file(folder / "privacy.key", secrets.token_hex(32) + "\n")
    create_key(folder / "ledger.key", f"lgsp/{instance}/ledger")
    for client in CLIENTS:
        Credentials.new(client, gateway=public_url).save(folder / client)
    kustomization = KUSTOMIZATION.format(namespace=namespace)
    if database_url is not None:
        lines = (f"LIENTHONG_{process.upper()}_DATABASE_URL={database_url}\n" for process in DATABASES)
        create_file(folder / "database.env", "".join(lines))
        kustomization += WITH_DATABASE
    create_file(folder / "kustomization.yaml", kustomization, mode=PUBLIC)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder that does not exist yet")
    parser.add_argument(
        "--public-url", required=True, help="LIENTHONG_PUBLIC_URL: the gateway as callers know it"
    )
    parser.add_argument(
        "--database-url",
        help="postgresql+asyncpg://user:password@host:5432/database; not needed with SQLite",
    )
    parser.add_argument("--instance", default="VN-BTN", help="LIENTHONG_INSTANCE (default: %(default)s)")
    parser.add_argument("--namespace", default="lienthong", help="default: %(default)s")
    arguments = parser.parse_args()
    try:
        write_secrets(**vars(arguments))
    except FileExistsError as error:
        parser.error(str(error))
    print(f"Wrote {arguments.folder}. Next: kubectl apply --kustomize {arguments.folder}")


if __name__ == "__main__":
    main()

"""Make the secrets of a new installation: `python deploy/k8s/new_secrets.py --help`.

Writes a folder with every key, and a `kustomization.yaml` that turns it into the Secrets that the manifests
refer to. Keep the folder: it holds the only copies. Nothing in it is overwritten, but for the keys by which
the processes know each other, when `--renew-inner-keys` asks for that.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
from pathlib import Path

from lienthong.client import Credentials
from lienthong.identity.domain.key_encryption import KeyEncryption
from lienthong.identity.service.key_encryption_file import write_key_encryption
from lienthong.kit.bus_users import USERS, accounts_configuration
from lienthong.kit.files import PUBLIC, create_file, replace_file
from lienthong.kit.nkeys import UserKey
from lienthong.kit.rpc_trust import make_rpc_trust
from lienthong.ledger.service.signing_key_file import create_key

DATABASES = ("catalog", "identity", "exchange", "ledger")
CLIENTS = ("operator", "auditor", "console")

KUSTOMIZATION = """\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {namespace}
generatorOptions:
  disableNameSuffixHash: true
secretGenerator:
  - name: lienthong-nats
    files: [accounts.conf]
  - name: lienthong-catalog
    files:
      - nats.nkey=nats/catalog.nkey
      - rpc/rpc.crt
      - rpc/rpc.token
      - rpc/rpc.key
  - name: lienthong-identity
    files:
      - key-encryption.jwk
      - nats.nkey=nats/identity.nkey
      - rpc/rpc.crt
      - rpc/rpc.token
      - rpc/rpc.key
  - name: lienthong-exchange
    files:
      - acknowledgements.key
      - nats.nkey=nats/exchange.nkey
      - rpc/rpc.crt
      - rpc/rpc.token
  - name: lienthong-ledger
    files:
      - ledger.key
      - nats.nkey=nats/ledger.nkey
      - rpc/rpc.crt
      - rpc/rpc.token
      - rpc/rpc.key
  - name: lienthong-gateway
    files:
      - privacy.key
      - assertion.key
      - nats.nkey=nats/gateway.nkey
      - rpc/rpc.crt
      - rpc/rpc.token
  - name: lienthong-console
    files:
      - key.jwk=console/key.jwk
  - name: lienthong-clients
    files:
      - operator-client.json=operator/client.json
      - operator-key.jwk=operator/key.jwk
      - auditor-client.json=auditor/client.json
      - auditor-key.jwk=auditor/key.jwk
      - console-client.json=console/client.json
      - console-key.jwk=console/key.jwk
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
    write_inner_keys(folder)
    write_key_encryption(folder / "key-encryption.jwk", KeyEncryption.generate())
    create_file(folder / "acknowledgements.key", secrets.token_hex(32) + "\n")
    create_file(folder / "privacy.key", secrets.token_hex(32) + "\n")
    create_file(folder / "assertion.key", secrets.token_hex(32) + "\n")
    create_key(folder / "ledger.key", f"lgsp/{instance}/ledger")
    for client in CLIENTS:
        Credentials.new(client, gateway=public_url).save(folder / client)
    kustomization = KUSTOMIZATION.format(namespace=namespace)
    if database_url is not None:
        lines = (f"LIENTHONG_{process.upper()}_DATABASE_URL={database_url}\n" for process in DATABASES)
        create_file(folder / "database.env", "".join(lines))
        kustomization += WITH_DATABASE
    create_file(folder / "kustomization.yaml", kustomization, mode=PUBLIC)


def write_inner_keys(folder: Path) -> None:
    """Make, or make anew, the keys by which the processes know each other."""
    public = {}
    for user in USERS:
        key = UserKey.generate()
        replace_file(folder / "nats" / f"{user.name}.nkey", key.seed + "\n")
        public[user.name] = key.public
    replace_file(folder / "accounts.conf", accounts_configuration(public))
    shutil.rmtree(folder / "rpc", ignore_errors=True)
    make_rpc_trust(folder / "rpc")


def renew_inner_keys(folder: Path) -> None:
    """Replace the keys by which the processes know each other, and nothing else.

    Raises:
        FileNotFoundError: the folder was not made by `write_secrets`.
    """
    if not (folder / "accounts.conf").exists():
        raise FileNotFoundError(f"{folder} has no keys to replace")
    write_inner_keys(folder)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, help="a folder that does not exist yet")
    parser.add_argument("--public-url", help="LIENTHONG_PUBLIC_URL: the gateway as callers know it")
    parser.add_argument(
        "--database-url",
        help="postgresql+asyncpg://user:password@host:5432/database; not needed with SQLite",
    )
    parser.add_argument("--instance", default="VN-BTN", help="LIENTHONG_INSTANCE (default: %(default)s)")
    parser.add_argument("--namespace", default="lienthong", help="default: %(default)s")
    parser.add_argument(
        "--renew-inner-keys",
        action="store_true",
        help="replace, in a folder that was made before, the keys by which the processes know each other",
    )
    arguments = parser.parse_args()
    renew = vars(arguments).pop("renew_inner_keys")
    try:
        if renew:
            renew_inner_keys(arguments.folder)
        elif arguments.public_url is None:
            parser.error("--public-url is missing")
        else:
            write_secrets(**vars(arguments))
    except OSError as error:
        parser.error(str(error))
    print(f"Wrote {arguments.folder}. Next: kubectl apply --kustomize {arguments.folder}")


if __name__ == "__main__":
    main()

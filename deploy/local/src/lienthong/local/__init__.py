"""The embedded installation: NATS and every Liên thông process on one machine, under one supervisor."""

from lienthong.local.environment import read_settings
from lienthong.local.installation import Installation, InstallationError
from lienthong.local.programs import Program, platform_programs

__all__ = ["Installation", "InstallationError", "Program", "platform_programs", "read_settings"]

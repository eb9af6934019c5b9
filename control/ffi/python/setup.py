"""Names the wheel after the system that the bundled library runs on.

The package is pure Python around one shared library, so one wheel serves all versions of Python:
`py3-none-<platform>`. Everything else is in pyproject.toml.
"""

import re
import sysconfig
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.bdist_wheel import bdist_wheel
from setuptools.errors import SetupError

BINARIES = Path(__file__).parent / "src" / "datadog_agent_native" / "bin"


class NativeDistribution(Distribution):
    """Installed to the directory for packages with native code."""

    def has_ext_modules(self) -> bool:
        return True


class NativeWheel(bdist_wheel):
    """A wheel for any Python on one platform."""

    def get_tag(self):
        libraries = sorted(path for path in BINARIES.glob("*/*") if path.is_file())
        if len(libraries) != 1:
            raise SetupError(f"a wheel bundles one library, {BINARIES} has {len(libraries)}")
        return "py3", "none", platform_tag(libraries[0])


def platform_tag(library: Path) -> str:
    """The oldest platform that a library runs on: of glibc, the newest version that it asks for."""
    built_for = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    if not built_for.startswith("linux_"):
        return built_for
    machine = built_for[len("linux_") :]
    versions = re.findall(rb"\0GLIBC_2\.(\d+)(?:\.\d+)?(?=\0)", library.read_bytes())
    if not versions:
        return f"musllinux_1_2_{machine}"
    newest = max(int(version) for version in versions)
    return f"manylinux_2_{max(newest, 17)}_{machine}"


setup(distclass=NativeDistribution, cmdclass={"bdist_wheel": NativeWheel})

"""What pyproject.toml cannot tell: the compiled kernels, and that schemas/ goes into the package.

Where the kernels cannot be built tabkit works without them, slower.
"""

from pathlib import Path

from setuptools import Extension, find_packages, setup

KERNELS = Path("tabkit/_native/src")

setup(
    packages=[*find_packages(include=["tabkit", "tabkit.*"]), "tabkit.schemas"],
    package_dir={"tabkit.schemas": "schemas"},
    include_package_data=False,
    package_data={
        "tabkit": ["py.typed"],
        "tabkit._native": ["*.pyi"],
        "tabkit.schemas": ["*.json"],
    },
    ext_modules=[
        Extension(
            "tabkit._native.core",
            sources=sorted(map(str, KERNELS.glob("*.cpp"))),
            depends=sorted(map(str, KERNELS.glob("*.hpp"))),
            language="c++",
            extra_compile_args=[
                "-std=c++17",
                "-O3",
                "-g0",
                "-fvisibility=hidden",
                "-ffp-contract=off",
            ],
            optional=True,
        )
    ],
)

"""One answer to the question whether the processor draws, for whoever asks."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from performer.gl.render.driver import is_software

ROOT = Path(__file__).resolve().parents[2]

SOFTWARE = (
    "llvmpipe (LLVM 15.0.6, 256 bits)",
    "Gallium 0.4 on llvmpipe (LLVM 3.8, 256 bits)",
    "zink Vulkan 1.3(llvmpipe (LLVM 17.0.6, 256 bits) (MESA_LLVMPIPE))",
    "softpipe",
    "Software Rasterizer",
    "Mesa DRI swrast",
    "SWR (LLVM 6.0, 256 bits)",
    "Google SwiftShader",
    "ANGLE (Google, Vulkan 1.3.0 (SwiftShader Device (Subzero) (0x0000C0DE)), SwiftShader driver)",
    "Microsoft Basic Render Driver",
    "D3D12 (Microsoft Basic Render Driver)",
    "ANGLE (Microsoft, Microsoft Basic Render Driver Direct3D11 vs_5_0 ps_5_0, D3D11)",
    "ANGLE (Unknown, WARP Direct3D11 vs_5_0 ps_5_0, D3D11)",
    "GDI Generic",
    "Apple Software Renderer",
)
CARDS = (
    "NVIDIA H200/PCIe/SSE2",
    "NVIDIA GeForce RTX 4070/PCIe/SSE2",
    "AMD Radeon RX 6800 (radeonsi, navi21, LLVM 15.0.7, DRM 3.49)",
    "Mesa Intel(R) UHD Graphics 620 (KBL GT2)",
    "D3D12 (NVIDIA GeForce RTX 3060)",
    "ANGLE (Intel, Intel(R) Iris(R) Xe Graphics Direct3D11 vs_5_0 ps_5_0, D3D11)",
    "Apple M2 Max",
    "Mali-G610 (Panfrost)",
    "V3D 4.2",
    "SVGA3D; build: RELEASE;  LLVM;",
)


@pytest.mark.parametrize("name", SOFTWARE)
def test_the_processor_draws(name: str) -> None:
    assert is_software(SimpleNamespace(info={"GL_RENDERER": name}))


@pytest.mark.parametrize("name", CARDS)
def test_a_graphics_card_draws(name: str) -> None:
    assert not is_software(SimpleNamespace(info={"GL_RENDERER": name}))


def test_nobody_else_has_a_list_of_software_renderers() -> None:
    names = re.compile(r"[\"'](llvmpipe|softpipe|swrast|swiftshader|basic render)", re.IGNORECASE)
    modules = (ROOT / "performer").rglob("*.py")
    lists = [path.name for path in modules if names.search(path.read_text(encoding="utf-8"))]
    assert lists == ["driver.py"]

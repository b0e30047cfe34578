"""Permissions of files that hold, whoever runs the tests."""

OBEY_PERMISSIONS = """
import ctypes, os
if os.geteuid() == 0:  # root may write everywhere, but for one who gives that up: CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None).capget(header, data) == 0
    data[0] &= ~0b110  # in effect
    data[1] &= ~0b110  # and permitted
    assert ctypes.CDLL(None).capset(header, data) == 0
"""

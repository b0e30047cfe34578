"""The server: protocols are codecs over one data plane, which knows no HTTP."""

"""缺失电子证照: what should be there and is not is reported, looked for in the archive of its department, and reissued."""

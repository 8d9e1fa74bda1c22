"""Pages of the call log (调用记录)."""

"""Pages of missing licenses (缺失电子证照): reporting, the desk with its clocks, figures, working days of the stages."""

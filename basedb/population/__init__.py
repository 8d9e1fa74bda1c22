"""Population (人口库): what a person's facts add up to - deaths and their consequences, household, history, checks across rows."""

"""The pretend identity application of the demo (演示身份应用). Never part of a real installation."""

"""Kinds of sources (接入方式): one module a kind; `registry` knows them all."""

"""Is everything set up as it has to be? Small numbered judgements over facts that were gathered elsewhere."""

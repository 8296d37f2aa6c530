-- A credential_process: credentials for an hour.
print(([[{"Version": 1, "AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  "Expiration": "%s"}]]):format(os.date("!%Y-%m-%dT%H:%M:%SZ", os.time() + 3600)))

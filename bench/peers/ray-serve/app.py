"""Serves model.py by Ray Serve, deployed by a configuration as `serve deploy` does it.

Arguments: port, replicas, intra-op threads, model file, folder for Ray's files. Prints a line when it
serves. Each line on standard input is another model file: the deployment gets a new `user_config`,
which replicas take over without being restarted; a line is printed when that is done.
"""

import sys

import ray
from ray import serve
from ray.serve.context import _get_global_client
from ray.serve.schema import ServeDeploySchema

PORT, REPLICAS, THREADS = (int(argument) for argument in sys.argv[1:4])
MODEL_PATH, FOLDER = sys.argv[4:6]
HTTP = {"host": "127.0.0.1", "port": PORT}


def deploy(model_path):
    """Returns when all replicas have the model."""
    deployment = {
        "name": "Model",
        "num_replicas": REPLICAS,
        "user_config": {"model_path": model_path, "threads": THREADS},
    }
    application = {
        "name": "model",
        "route_prefix": "/infer",
        "import_path": "model:app",
        "deployments": [deployment],
    }
    config = {"http_options": HTTP, "applications": [application]}
    _get_global_client().deploy_apps(ServeDeploySchema(**config), _blocking=True)
    print("serving", flush=True)


ray.init(num_cpus=REPLICAS, include_dashboard=False, log_to_driver=False, _temp_dir=FOLDER)
serve.start(http_options=HTTP, logging_config={"enable_access_log": False})
deploy(MODEL_PATH)
for line in sys.stdin:
    deploy(line.strip())
serve.shutdown()
ray.shutdown()

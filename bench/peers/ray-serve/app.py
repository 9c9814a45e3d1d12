"""A model behind Ray Serve: POST /infer, MessagePack in and out.

Arguments: port, replicas, intra-op threads, model file, folder for Ray's files. Prints a line when it
serves. Each line on standard input is another model file, taken into use by all replicas without
restarting them; a line is printed when that is done.
"""

import asyncio
import sys

import msgpack
import numpy as np
import onnxruntime
import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

PORT, REPLICAS, THREADS = (int(argument) for argument in sys.argv[1:4])
MODEL_PATH, FOLDER = sys.argv[4:6]
MOST_ROWS = 32


def load_session(model_path, threads):
    """Warmed up."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        model_path, options, providers=["CPUExecutionProvider"]
    )
    width = session.get_inputs()[0].shape[1]
    session.run(None, {"x": np.zeros((1, width), np.float32)})
    return session


@serve.deployment(num_replicas=REPLICAS, max_ongoing_requests=2 * MOST_ROWS)
class Model:
    async def reconfigure(self, config):
        """Called before the first request and for each update; requests go on meanwhile."""
        self.session = await asyncio.to_thread(
            load_session, config["model_path"], config["threads"]
        )

    @serve.batch(max_batch_size=MOST_ROWS, batch_wait_timeout_s=0)
    async def infer(self, inputs):
        """Whatever waits is run as one batch."""
        (y,) = self.session.run(None, {"x": np.concatenate(inputs)})
        ends = np.cumsum([len(x) for x in inputs])
        return np.split(y, ends[:-1])

    async def __call__(self, request: Request) -> Response:
        x = msgpack.unpackb(await request.body())["inputs"]["x"]
        y = await self.infer(np.frombuffer(x["data"], np.float32).reshape(x["shape"]))
        output = {"datatype": "FP32", "shape": y.shape, "data": y.tobytes()}
        answer = msgpack.packb({"outputs": {"y": output}})
        return Response(answer, media_type="application/msgpack")


def deploy(model_path):
    """Returns when all replicas have the model."""
    config = {"model_path": model_path, "threads": THREADS}
    serve.run(Model.options(user_config=config).bind(), route_prefix="/infer")
    print("serving", flush=True)


ray.init(num_cpus=REPLICAS, include_dashboard=False, log_to_driver=False, _temp_dir=FOLDER)
serve.start(
    http_options={"host": "127.0.0.1", "port": PORT},
    logging_config={"enable_access_log": False},
)
deploy(MODEL_PATH)
for line in sys.stdin:
    deploy(line.strip())
serve.shutdown()
ray.shutdown()

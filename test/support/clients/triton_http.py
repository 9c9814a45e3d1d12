"""Calls the model `shift` (x + version) at argv[1] through tritonclient's HTTP client."""

import sys

import numpy
import tritonclient.http as triton

client = triton.InferenceServerClient(sys.argv[1])
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("shift")
assert client.get_server_metadata()["name"] == "warmswap"
assert client.get_model_metadata("shift")["inputs"][0]["shape"] == [-1, 4]
assert client.get_inference_statistics("shift")["model_stats"][0]["name"] == "shift"

data = numpy.array([[1, 2, 3, 4]], dtype=numpy.float32)
for is_binary in (True, False):
    x = triton.InferInput("x", [1, 4], "FP32")
    x.set_data_from_numpy(data, binary_data=is_binary)
    y = triton.InferRequestedOutput("y", binary_data=is_binary)
    answer = client.infer("shift", [x], outputs=[y], request_id="7", priority=1, timeout=10_000_000)
    assert (answer.as_numpy("y") == data + 1).all(), answer.get_response()
    assert answer.get_response()["id"] == "7"
    assert (client.infer("shift", [x]).as_numpy("y") == data + 1).all()

try:
    client.infer("none", [x])
except triton.InferenceServerException as error:
    assert "model 'none'" in str(error)
else:
    raise AssertionError("a model that is not there has answered")

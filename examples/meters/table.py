"""table.py URL METERS HOURS AREA...: the service's JSON as a table. Fails unless all that was posted is in it, once."""

import json
import sys
import urllib.request

url, meters, hours, areas = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
with urllib.request.urlopen(url, timeout=60) as answer:
    usage = json.load(answer)


def posted(area, hour):
    return sum(4 * (50 + 10 * hour + meter) for meter in range(meters) if areas[meter % len(areas)] == area)


expected = {area: {str(hour): posted(area, hour) for hour in range(hours)} for area in areas}
if usage != expected:
    sys.exit(f"expected {expected}, got {usage}")

print(f"{'kWh':>8}" + "".join(f"{area:>9}" for area in areas))
for hour in range(hours):
    print(f"{hour:>5}:00" + "".join(f"{usage[area][str(hour)] / 1000:>9.3f}" for area in areas))

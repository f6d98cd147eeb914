# A dictionary of a million small tuples, and as many lookups, each of a key that no pattern foretells.
table = {n * 6151: (n,) for n in range(1000000)}
found, key = 0, 1
for _ in range(1000000):
    key = (key * 48271) % 2147483647
    found += table[(key % 1000000) * 6151][0]
print(found)

while read -r name; do
    mkdir -p "/deps/$name" && echo "$name" > "/deps/$name/tool"
done < packages.txt
